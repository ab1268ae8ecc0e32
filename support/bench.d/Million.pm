# SPDX-License-Identifier: Apache-2.0
#
# The cost of requests for some of a million ended generations: two databases, of 1,000 and of
# 1,000,000 rows (million.sql), an httpd before each, and the same questions to both in turn.
#
#     my $million = Million->new(site => $site, load => $load, rounds => 5);
#     my @results = $million->measure;              # one for each question
#     Million::print_table(@results);
#
# A result has: ms_at_1000, ms (one client, medians) and their ratio, ratio_lowest, ratio_highest
# over the rounds; rate_at_1000, rate (many clients) and ratio_under_load, how many more are
# answered at 1,000 rows. A ratio is of one round, whose two sides follow each other; medians over
# the rounds.

package Million;

use strict;
use warnings;

use Digest::SHA qw(sha1_base64);
use MIME::Base64 qw(encode_base64 encode_base64url);

use Genflow::Httpd ();

use constant {
    SMALL   => 1000,
    LARGE   => 1_000_000,
    USERS   => 1000,
    CLIENTS => 32,
    SECONDS => 1,                     # the least that wrk can do: some hundred answers
    SOME    => 500,                   # generations whose status is queried
};

# The requests. Pages of 50, or as short as needed to be full of 1,000 rows, too. <user> is the
# cursor of a page in the middle of that user's history, <all> of one in the middle of all.
my @QUESTIONS = (
    ['history', many => '/api/generations'],
    ['history, a later page', many => '/api/generations?cursor=<user>'],
    ['history, one type', many => '/api/generations?limit=20&type=neo-glitch'],
    ['history, completed', many => '/api/generations?status=completed'],
    ['history, failed', many => '/api/generations?limit=5&status=failed'],
    ['history, cancelled, later',
        many => '/api/generations?limit=2&status=cancelled&cursor=<user>'],
    ['history, processing: none', many => '/api/generations?status=processing'],
    ['history, a usual preset', many => '/api/generations?preset=base'],
    ['history, a rare preset', many => '/api/generations?limit=5&preset=rare'],
    ['history, rare and completed',
        many => '/api/generations?limit=5&preset=rare&status=completed'],
    ['history, a preset of none', many => '/api/generations?preset=none'],
    ['history, favourites', many => '/api/generations?limit=5&favourite=1'],
    ['history, a tag that a quarter has', many => '/api/generations?tag=usual'],
    ['history, a rare tag', many => '/api/generations?limit=1&tag=rare'],
    ['history, words of all', many => '/api/generations?q=lighthouse+rain'],
    ['history, words of none: a search', many => '/api/generations?q=nowhere'],
    ['history, what is new of a day', many => '/api/generations?limit=1&since=<day>'],
    ['history of a user with 20, words of none', few => '/api/generations?q=nowhere'],
    ['history of a user with 20', few => '/api/generations'],
    ['history of a user with 20, completed', few => '/api/generations?status=completed'],
    ['status by id', owner => '/api/<type>/status?id=<id>'],
    ['status by run id', owner => '/api/<type>/status?runId=<run>'],
    ['getQuota', many => '/api/getQuota'],
    ['getQuota of a user with 20', few => '/api/getQuota'],
    ['admin jobs', admin => '/admin/jobs'],
    ['admin jobs, a later page', admin => '/admin/jobs?cursor=<all>'],
    ['admin jobs, failed', admin => '/admin/jobs?status=failed'],
    ['admin jobs, processing: none', admin => '/admin/jobs?status=processing'],
    ['admin jobs of one user', admin => '/admin/jobs?user=many'],
    ['admin jobs of one user, a later page', admin => '/admin/jobs?user=many&cursor=<all>'],
    ['admin jobs of one user, failed', admin => '/admin/jobs?limit=5&user=many&status=failed'],
    ['admin jobs of a user with 20', admin => '/admin/jobs?user=few'],
    ['admin users', admin => '/admin/users'],
    ['admin user', admin => '/admin/users/many'],
    ['admin jobs, one type and failed', admin => '/admin/jobs?limit=20&type=neo-glitch&status=failed'],
    ['admin stats', admin => '/admin/stats'],
    ['admin now', admin => '/admin/now'],
    ['admin money, 90 days', admin => '/admin/money?from=<quarter>'],
    ['admin money, 90 days of one type', admin => '/admin/money?type=neo-glitch&from=<quarter>'],
    ['admin money, 7 days by the hour', admin => '/admin/money?per=hour&from=<week>'],
    ['admin money, one day by the hour', admin => '/admin/money?per=hour'],
    ['admin presets', admin => '/admin/presets'],
    ['admin keys', admin => '/admin/keys'],
    ['admin providers', admin => '/admin/providers'],
);

sub new {
    my ($class, %option) = @_;
    return bless {%option}, $class;
}

sub measure {
    my ($self) = @_;
    $ENV{BENCH_DISPATCH} = 'Off';
    $ENV{BENCH_THUMBNAIL} = 'Off';
    $self->write_administrator;
    my @sides = map { $self->side($_) } SMALL, LARGE;

    my @rounds;
    for my $round (1 .. $self->{rounds}) {
        print STDERR "million: round $round of $self->{rounds}\n";
        for my $number (0 .. $#QUESTIONS) {
            push @{ $rounds[$number] }, [ map { $self->queried($number, $_) } @sides ];
        }
    }
    return map { result($QUESTIONS[$_][0], @{ $rounds[$_] }) } 0 .. $#QUESTIONS;
}

# ---- the two databases ---------------------------------------------------------------------------

sub side {
    my ($self, $rows) = @_;
    my $site = $self->{site};
    print STDERR "million: making $rows rows\n";
    local $ENV{PGDATABASE};
    $site->create_database("bench_$rows");
    $site->sql(Load::read_file($site->folder . '/support/bench.d/million.sql'),
        rows => $rows, users => USERS);
    my @broken = $site->sql('SELECT rule, n FROM genflow.check()');
    die "genflow.check() finds: @broken\n" if @broken;
    $self->write_questions($rows);
    my $httpd = Genflow::Httpd->start('Include "${GENFLOW_WORK}/t/conf/bench.conf"');
    return { rows => $rows, httpd => $httpd };
}

# Plain SHA-1: the password's check should cost nothing beside the answer.
sub write_administrator {
    my ($self) = @_;
    my $path = $self->{site}->folder . '/t/conf/bench.users';
    open my $file, '>', $path or die "$path: $!\n";
    print $file 'admin:{SHA}', sha1_base64('secret'), "=\n";
    close $file or die "$path: $!\n";
    return;
}

# ---- the questions -------------------------------------------------------------------------------

sub write_questions {
    my ($self, $rows) = @_;
    my @some   = $self->some_generations;
    my %cursor = $self->cursors($rows / 2);
    for my $number (0 .. $#QUESTIONS) {
        my (undef, $who, $path) = @{ $QUESTIONS[$number] };
        my @cases = $who eq 'owner' ? @some : { %cursor, owner => $who };
        $self->{load}->write_requests(file_of($rows, $number), map { question($path, $_) } @cases);
    }
    return;
}

sub some_generations {
    my ($self) = @_;
    my @lines = $self->{site}->sql(<<'END', some => SOME);
SELECT r.user_id, t.name, r.id, 'run-' || r.n FROM bench.rows r JOIN genflow.types t USING (no)
 ORDER BY hashint8extended(r.n, 4) LIMIT :some
END
    my @names = qw(owner type id run);
    return map { my %case; @case{@names} = split /\|/; \%case } @lines;
}

# As in an answer's nextCursor.
sub cursors {
    my ($self, $n) = @_;
    my ($line) = $self->{site}->sql(<<'END', n => $n);
SELECT id, (extract(epoch FROM at) * 1000000)::bigint FROM bench.rows WHERE n = :n
END
    my ($id, $at) = split /\|/, $line;
    my ($day, $week, $quarter) = map { $self->{site}->sql(q{SELECT genflow.iso(now() - :'ago'::interval)}, ago => $_) }
        '1 day', '6 days 23 hours', '90 days';
    return (day => $day, week => $week, quarter => $quarter, user => encode_base64url("1:$at:$id"), all => encode_base64url($id));
}

sub question {
    my ($path, $case) = @_;
    my $owner   = $case->{owner};
    my %headers = $owner eq 'admin'
        ? ('Authorization' => 'Basic ' . encode_base64('admin:secret', ''))
        : ('X-User' => $owner);
    return Load::http_request(GET => $path =~ s/<(\w+)>/$case->{$1}/gr, \%headers);
}

sub file_of { return "million-$_[0]-$_[1].requests" }

# ---- the rounds ----------------------------------------------------------------------------------

# A question to one side: by one client, then by many.
sub queried {
    my ($self, $number, $side) = @_;
    my %of   = (requests => file_of($side->{rows}, $number), url => $side->{httpd}->base);
    my $one  = $self->{load}->run_wrk(SECONDS, %of, clients => 1);
    my $time = SECONDS + int(CLIENTS * $one->{median} / 1000);          # each gets an answer
    my $many = $self->{load}->run_wrk($time, %of, clients => CLIENTS);
    return { ms => $one->{median}, rate => $many->{rate} };
}

# Of a question's rounds, each with its two sides.
sub result {
    my ($question, @rounds) = @_;
    my @ratios = sort { $a <=> $b } map { $_->[1]{ms} / $_->[0]{ms} } @rounds;
    return {
        name             => 'million',
        question         => $question,
        ms_at_1000       => Load::median(map { $_->[0]{ms} } @rounds),
        ms               => Load::median(map { $_->[1]{ms} } @rounds),
        ratio            => Load::median(@ratios),
        ratio_lowest     => $ratios[0],
        ratio_highest    => $ratios[-1],
        rate_at_1000     => Load::median(map { $_->[0]{rate} } @rounds),
        rate             => Load::median(map { $_->[1]{rate} } @rounds),
        ratio_under_load => Load::median(map { $_->[0]{rate} / $_->[1]{rate} } @rounds),
    };
}

sub print_table {
    my @results = @_;
    my @head = ('request to 1,000, then 1,000,000 rows', qw(ms ms ratio from-to answers /s ratio));
    printf "\n%-38s %8s %8s %6s %-11s %8s %8s %6s\n", @head;
    for my $result (@results) {
        my $range = sprintf '%.2f-%.2f', @$result{qw(ratio_lowest ratio_highest)};
        printf "%-38s %8.2f %8.2f %6.2f %-11s %8.0f %8.0f %6.2f\n",
            @$result{qw(question ms_at_1000 ms ratio)}, $range,
            @$result{qw(rate_at_1000 rate ratio_under_load)};
    }
    my ($clients, $seconds) = (CLIENTS, SECONDS);
    print <<"END";

ms: one client, median; ratio: how many times longer at 1,000,000 rows.
answers/s: to $clients clients; ratio: how many times fewer at 1,000,000 rows.
Each is the median of the rounds; in a round each request is repeated for $seconds s.
END
    return;
}

1;
