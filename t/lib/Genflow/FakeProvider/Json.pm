# SPDX-License-Identifier: Apache-2.0
#
# What the imitations of JSON APIs share: reading a submission, misbehaving as its prompt orders,
# runs that take their time, webhooks that are sent, and result pictures at addresses of their own.
# Leaves paths, shapes, states and signatures to Aiml, Replicate, Fal and OpenAi beside it. Each
# lives below a path of its own.
#
# A picture's address answers who comes without a key only: 400 shows that one leaked.

package Genflow::FakeProvider::Json;

use strict;
use warnings;

use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime);

use constant {
    SETTLE   => 0.05,                     # seconds for the client to read what came before a reset
    SLOW     => 1.5,
    TOO_BIG  => 50 * 1024 * 1024 + 1,
    FLAKY    => 1,                        # how often result=flaky fails
    SOON     => 0.3,                      # seconds from a submission to its webhook
    AGAIN    => 0.3,                      # ... and until it is repeated
    NOTIFY_MAX => 20,
    STALE    => 600,                      # how old `hook=stale` is
};

my $JSON = JSON::PP->new->utf8->canonical;

# `book` keeps submissions, polls and scripts for all providers: it is the Stability one.
sub new {
    my ($class, $server, $book) = @_;
    my $self = bless {
        server => $server,
        book   => $book,
        runs   => {},           # id => job
        order  => [],           # ids, oldest first
        files  => {},           # id => job
    }, $class;
    push @{ $book->{peers} }, $self;
    my $prefix = $self->prefix;
    $server->add_route(GET => qr{$prefix/files/(\w+)}, sub { $self->send_file(@_) });
    $self->add_routes;
    return $self;
}

# ---- a submission ----

# Calls `perform` with the job, unless its script or its key end it here. `accept` => code runs
# before an answer may be lost: what it does, the provider has done.
sub submit {
    my ($self, $request, $model, %act) = @_;
    my $document = eval { $JSON->decode($request->{body}) };
    my $input    = ref $document eq 'HASH' ? $document->{input} // $document : {};
    my $job      = {
        request  => $request,
        model    => $model // $document->{model} // $document->{version} // '',
        form     => $input,
        prompt   => $input->{prompt} // prompt_of_picture($input),
        seed     => $input->{seed} // 1,
        id       => $self->{book}->new_id,
        time     => now(),
        begun    => clock_gettime(CLOCK_MONOTONIC),
    };
    $job->{script} = $self->{book}->script_of($job->{prompt});
    $self->{book}->record($job, $request->{length});

    my $script = $job->{script};
    $job->{hook} = $self->hook_of($job, $document) if $script->has('hook');
    return $self->refuse($job, 401) if !$self->knows_key($request);
    return $self->refuse($job, 400) if ref $document ne 'HASH' || $script->unknown;
    return $self->refuse($job, 400) if $script->has('hook') && !$job->{hook};
    $self->{book}->when_due($script, sub { $self->perform($job, %act) });
}

sub perform {
    my ($self, $job, %act) = @_;
    my $script = $job->{script};
    return if $script->has('hang');
    my $taken  = $act{accept} && !$script->has('untaken');
    my $answer = sub { $self->answer_submission($job, %act) };
    $act{accept}->($job) if $taken;
    return $self->notify($job, $answer) if $taken && $job->{hook} && $script->has('early');
    $self->{server}->later(SOON, sub { $self->notify($job, sub { }) }) if $taken && $job->{hook};
    $answer->();
}

sub answer_submission {
    my ($self, $job, %act) = @_;
    my $script = $job->{script};
    return $self->{server}->reset_connection($job->{request}{connection})
        if $script->has('cut-before');
    return $self->refuse($job, $script->value('status'), $script->value('type'))
        if $script->has('status');
    return $self->{server}->answer($job->{request}, 200, [ 'Content-Type' => 'text/html' ],
                                   "<html><body>A page of somebody in between</body></html>\n")
        if $script->has('html');
    return $self->{server}->answer($job->{request}, 500, [ 'Content-Type' => 'application/json' ],
                                   '{"message":"inter')
        if $script->has('json-error');
    return $self->{book}->answer_gateway($job) if $script->has('gateway');
    $act{answer}->($job);
}

# Of models that take a picture and no prompt: that of the picture's address, `?prompt=...`.
sub prompt_of_picture {
    my ($input) = @_;
    my ($query) = ($input->{image_url} // '') =~ /\?(.*)/s;
    return Genflow::FakeProvider::query_value({ query => $query // '' }, 'prompt') // '';
}

sub knows_key {
    my ($self, $request) = @_;
    my $scheme = $self->scheme;
    my ($key) = ($request->{header}{authorization} // '') =~ /\A$scheme (\S+)\z/;
    return defined $key && $key !~ /\Awrong/;
}

sub scheme { return 'Bearer' }

# A call that costs nothing, and needs the key.
sub answer_account {
    my ($self, $request) = @_;
    return $self->{server}->answer_json($request, 200, {}) if $self->knows_key($request);
    return $self->{server}->answer_json($request, 401, $self->error_body(401));
}

sub refuse {
    my ($self, $job, $status, $type) = @_;
    my $wait    = $job->{script}->value('retry-after');
    my @headers = defined $wait ? ('Retry-After' => $wait) : ();
    $self->{server}->answer_json($job->{request}, $status, $self->error_body($status, $type),
                                 @headers);
}

# The answer to a submission; the script may cut it.
sub reply {
    my ($self, $job, $status, $value) = @_;
    my ($server, $script, $request) = ($self->{server}, $job->{script}, $job->{request});
    return $server->answer_json($request, $status, $value)
        if !$script->has('half') && !$script->has('cut-after');

    my $body = $JSON->encode($value);
    my $half = int(length($body) / 2);
    $server->answer_part($request, $status, [ 'Content-Type' => 'application/json' ], $body, $half);
    return $server->end_connection($request->{connection}) if $script->has('half');
    $server->later(SETTLE, sub { $server->reset_connection($request->{connection}) });
}

# ---- pictures ----

sub picture {
    my ($self, $job) = @_;
    return Genflow::FakeProvider::Picture::of_seed($job->{seed});
}

# The picture as the script wants it: an address, or the bytes themselves as a data URI.
sub picture_url {
    my ($self, $job) = @_;
    return 'data:image/png;base64,' . encode_base64($self->picture($job), '')
        if $job->{script}->has('datauri');
    my $port   = $self->{server}->port;
    my $result = $job->{script}->value('result') // '';
    return 'file:///etc/passwd' if $result eq 'file';

    $self->{files}{ $job->{id} } = $job;
    my $host = $result eq 'private' ? '127.0.0.2' : '127.0.0.1';
    return "http://$host:$port" . $self->prefix . "/files/$job->{id}";
}

sub picture_b64 {
    my ($self, $job) = @_;
    return encode_base64($self->picture($job), '');
}

sub send_file {
    my ($self, $request, $id) = @_;
    my ($server, $job) = ($self->{server}, $self->{files}{$id});
    return $server->answer_json($request, 404, { message => 'no such picture' }) if !$job;
    return $server->answer_json($request, 400, { message => 'a key leaked' })
        if $request->{header}{authorization};
    push @{ $self->{book}{fetches} }, $job->{prompt};

    my $result = $job->{script}->value('result') // '';
    my $count  = ++$job->{fetched};
    my @type   = ('Content-Type' => 'image/png');
    my $port   = $server->port;
    my $here   = $self->prefix . "/files/$id";
    my %answer = (
        gone       => sub { $server->answer_json($request, 404, { message => 'it is gone' }) },
        empty      => sub { $server->answer($request, 200, \@type, '') },
        garbage    => sub { $server->answer($request, 200, \@type, 'no picture' x 50) },
        big        => sub {
            $server->answer($request, 200, \@type,
                            Genflow::FakeProvider::Picture::of_size($job->{seed}, TOO_BIG));
        },
        'moved-private' => sub {
            $server->answer($request, 302, [ Location => "http://127.0.0.2:$port$here" ], '');
        },
        loop       => sub { $server->answer($request, 302, [ Location => $here ], '') },
    );
    return $answer{$result}->() if $answer{$result};
    return $answer{gone}->() if $result eq 'once' && $count > 1;
    return $server->answer($request, 302, [ Location => $here ], '')
        if $result eq 'moved' && $count == 1;
    return $server->answer_json($request, 503, { message => 'not now' })
        if $result eq 'flaky' && $count <= FLAKY;
    return $server->reset_connection($request->{connection}) if $result eq 'cut' && $count == 1;
    $server->later($result eq 'slow' ? SLOW : 0,
                   sub { $server->answer($request, 200, \@type, $self->picture($job)) });
}

# ---- runs ----

sub start_run {
    my ($self, $job) = @_;
    $job->{left} = $job->{script}->value('poll') // ($job->{hook} ? 9**9**9 : 0);
    $self->{runs}{ $job->{id} } = $job;
    push @{ $self->{order} }, $job->{id};
}

# The run that a question is about; undef when the question has been answered here.
sub requested_run {
    my ($self, $request, $id) = @_;
    my $job = $self->{runs}{$id};
    $self->{book}->note_poll($job) if $job;
    my $question = { request => $request, script => $job ? $job->{script} : {} };
    bless $question->{script}, 'Genflow::FakeProvider::Script' if !$job;
    if (!$self->knows_key($request)) {
        $self->refuse($question, 401);
        return;
    }
    if (!$job) {
        $self->refuse($question, 404);
        return;
    }
    if ($job->{script}->has('poll-status') && !$job->{stumbled}++) {
        $self->refuse($question, $job->{script}->value('poll-status'));
        return;
    }
    return $job;
}

# The run that is to be cancelled; undef as above.
sub run_to_cancel {
    my ($self, $request, $id) = @_;
    my $job = $self->requested_run($request, $id) or return;
    push @{ $self->{book}{cancels} }, $job->{prompt};
    $job->{canceled} = 1;
    return $job;
}

# Has the run ended? Each question brings it nearer.
sub is_over {
    my ($self, $job) = @_;
    return if $job->{canceled} || $job->{script}->has('poll-hang');
    return if $self->{book}->is_shut($job->{script}->value('poll-gate'));
    return $job->{left} <= 0 || !$job->{left}--;
}

# ---- webhooks ----

# Sends the webhooks of the job's script, one after another, then calls `then`.
sub notify {
    my ($self, $job, $then) = @_;
    my @kinds = split /,/, $job->{script}->value('hook') || 'end';
    $self->notify_next($job, \@kinds, 1, $then);
}

sub notify_next {
    my ($self, $job, $kinds, $attempt, $then) = @_;
    my $kind = $kinds->[0] // return $then->();
    $job->{left} = 0 if $kind eq 'end';
    my %document = $kind eq 'blank' ? (status => 'OK') : $self->report($job, $kind);
    my $body     = $JSON->encode(\%document);
    my $time     = time - ($kind eq 'stale' ? STALE : 0);
    my %headers  = ('Content-Type' => 'application/json',
                    $self->signature($body, id => $job->{id}, kind => $kind, time => $time));
    $self->{server}->post($job->{hook}, \%headers, $body, sub {
        my ($status, $header) = @_;
        push @{ $self->{book}{hooks} }, {
            prompt => $job->{prompt}, kind => $kind, url => $job->{hook}, headers => \%headers,
            body => $body, status => $status + 0, retry_after => $header->{'retry-after'},
        };
        my $again = (!$status || $status >= 500) && $attempt < NOTIFY_MAX;
        shift @$kinds if !$again;
        $self->{server}->later($again ? AGAIN : 0,
            sub { $self->notify_next($job, $kinds, $again ? $attempt + 1 : 1, $then) });
    });
}

# Those that have no webhooks.
sub hook_of { return }

sub now { return POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + ($_[0] // 0))) }

# The header of an answer by that clock.
sub date {
    my ($offset) = @_;
    my @now = gmtime(time + ($offset // 0));
    my $day = (qw(Sun Mon Tue Wed Thu Fri Sat))[$now[6]];
    my $month = (qw(Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec))[$now[4]];
    return (Date => POSIX::strftime("$day, %d $month %Y %H:%M:%S GMT", @now));
}

# Newest first, as lists are; not older than `since`.
sub runs_since {
    my ($self, $since) = @_;
    my @newest_first = map { $self->{runs}{$_} } reverse @{ $self->{order} };
    my $now = clock_gettime(CLOCK_MONOTONIC);
    return grep { $_->{time} ge ($since // '')
            && $now - $_->{begun} >= ($_->{script}->value('list-lag') // 0) / 1000 } @newest_first;
}

1;
