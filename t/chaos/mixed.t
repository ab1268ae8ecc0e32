#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# 200 generations of all types at once, while each provider answers at random in every way that the
# fakes know: each ends, nothing ambiguous is sent twice, charges are cost times successes, and the
# pictures stay when their providers have forgotten them. GENFLOW_SEED repeats a run.
use Digest::SHA qw(sha256_hex);
use Genflow::Png;
use Genflow::Seed;
use Genflow::Test;
use Genflow::Types;
use Genflow::Ways;
use List::Util qw(sum0 uniq);

my $COUNT   = 200;
my $OURS    = "mixed-$$-";                          # how the names of our users begin
my %SOURCE  = (sourceUrl => "$ENV{GENFLOW_FAKE}/_source/picture/7");
my %SHIPPED = map { $_->{name} => 1 } shipped();
my @TYPES   = (                                     # fal's reports are for provider-webhook.t: it counts keys
    # type, whose ways, what its body has beside the prompt
    ['neo-glitch', 'stability'], ['relay', 'stability'], ['sd3-source', 'stability', %SOURCE],
    ['ultra-source', 'stability', %SOURCE], ['echo-aiml', 'aiml'], ['echo-openai', 'openai'],
    ['openai-source', 'openai', %SOURCE], ['echo-replicate', 'replicate'], ['echo-fal', 'fal'],
    ['lens', 'fal', %SOURCE], ['lens', 'fal'], ['hook-replicate', 'hooks'],
    ['sketch', 'local'], ['sketch-source', 'local', %SOURCE], ['stray', 'local'],
    map { [$_, 'local'] } grep { $_ ne 'neo-glitch' } sort keys %SHIPPED,
);
my @SURE = (                                        # what they log can be announced
    ['neo-glitch', 'hang'], ['neo-glitch', 'cut-before'], ['neo-glitch', 'status=401'],
    ['neo-glitch', 'status=503'], ['neo-glitch', 'empty'], ['neo-glitch', 'garbage'],
    ['echo-fal', 'status=404'], ['hook-replicate', 'hook=forged,end'],
    ['hook-replicate', 'hook=blank,end'],
);
expect_log qw(GF0124 GF0126 GF0201 GF0202 GF0203 GF0205 GF0206 GF0210 GF0403 GF0407);

seed();

# ---- 200 at once ----

my %had   = map { account($_) => $_ } map { $_ % 4 ? 30 : 3 } 1 .. 41;
my @users = sort keys %had;
my ($rich) = grep { $had{$_} > 3 } @users;
my @requests = map { random_request($_) } 0 .. $COUNT - 1;
my @replies  = in_parallel($COUNT, sub {
    my ($user, $type, $body, $prefer) = @{ $requests[$_[0]] }{qw(user type body prefer)};
    my $res = $SHIPPED{$type} ? generate_type($user, $type, $body, Prefer => $prefer)
        : generate($user, { %$body, type => $type }, Prefer => $prefer);
    return "$res->{status} " . (data($res)->{id} // data($res)->{code});
}, 16);                                             # others wait, too, and reports need a place
my (%made, @odd);
for my $i (0 .. $#replies) {
    my ($status, $id) = split / /, $replies[$i];
    if    ($status =~ /\A(?:200|202|500)\z/)        { $made{$id} = $requests[$i] }
    elsif ($replies[$i] ne '402 INSUFFICIENT_CREDITS') { push @odd, "$requests[$i]{what} $replies[$i]" }
}
is_deeply \@odd, [], 'each is taken, or refused because its user has too few credits';
cmp_ok keys %made, '<', $COUNT, '... which happens';
my $all_ended = wait_for {
    !sql1("SELECT count(*) FROM genflow.work JOIN genflow.accounts USING (user_id)"
        . " WHERE starts_with(name, :'ours')", ours => $OURS);
};
ok $all_ended, 'all end, in time';

# ---- what they cost, and how often they were sent ----

my %row  = map { $_->{id} => $_ } map { rows($_) } uniq map { $_->[0] } @TYPES;
my @done = grep { $_->{status} eq 'completed' } values %row;
is_deeply [sort keys %row], [sort keys %made], 'each that was taken has its row';
diag scalar(@done) . ' of ' . keys(%row) . ' succeeded';
cmp_ok @done, '>', 0.3 * keys %row, 'many succeed';
cmp_ok @done, '<', 0.9 * keys %row, '... and many fail';
for my $user (@users) {
    my $spent = sum0 map { $_->{cost} } grep { $_->{user} eq $user } @done;
    credits_are $user, $had{$user} - $spent, 0, "$user has paid $spent of $had{$user}";
}
my %sent;
$sent{$_}++ for map { $_->{prompt} =~ /(\[\Q$OURS\E\w+\])/ } @{ fake('_submissions') };
is_deeply [map { "$_->{what} was sent $sent{ $_->{mark} } times" }
        grep { ($sent{ $_->{mark} } // 0) > $_->{most} } @requests], [],
    'what may have been paid for is sent once, the rest within its retries';
my %taken = map { $_->{mark} => 1 } values %made;
is_deeply [grep { !$taken{$_} } keys %sent], [], '... and what was refused, never';

# ---- their pictures ----

is_deeply [grep { $_ } map { wrong_with($_) } @done], [], 'each picture is served and opens';
my @theirs = grep { $_ } map { $_->{original} } @done;
ok scalar(grep { status_at($_) == 200 } @theirs), 'providers have some at their own addresses';
cmp_ok fake('_forget'), '>=', @theirs, '... and forget them';
is_deeply [grep { status_at($_) != 404 } @theirs], [], '... all';
is_deeply [grep { $_ } map { wrong_with($_) } @done], [], '... and all are served as before';

finish;

# A request; the first ones are sure.
sub random_request {
    my ($i) = @_;
    my ($type, $script) = @{ $SURE[$i] // [] };
    my @like = grep { !$type || $_->[0] eq $type } @TYPES;
    my ($name, $whose, %body) = @{ $like[rand @like] };
    $script //= draw($whose);
    my $retries = $SURE[$i] || rand() < 0.5 ? 3 : int rand 4;
    my $mark    = "[${OURS}g$i]";
    my $most    = $whose eq 'local' ? 0 : is_sent_again($whose, $script) ? 1 + $retries : 1;
    return { user => $SURE[$i] ? $rich : $users[rand @users], type => $name, mark => $mark,
        what => "$name {{$script}}", most => $most,
        prefer => (qw(wait=18 wait=1 respond-async))[rand 3],
        body => { %body, prompt => "{{$script}} $mark", maxRetries => $retries } };
}

sub rows {
    my ($type) = @_;
    my $table = 'public.' . $type =~ tr/-/_/r . '_media';
    my @columns = qw(id user status cost url original sha256);
    return map { my %one; @one{@columns} = split /\|/; \%one } sql(<<"SQL", ours => $OURS);
        SELECT id, name, status, cost, image_url, original_url, result->>'sha256'
          FROM $table JOIN genflow.accounts USING (user_id)
         WHERE starts_with(name, :'ours')
SQL
}

# What the fake says of our prompts: fake('_submissions').
sub fake {
    my ($what) = @_;
    return data(HTTP::Tiny->new->get("$ENV{GENFLOW_FAKE}/$what?match=%5B$OURS"));
}

sub status_at {
    my ($url) = @_;
    return HTTP::Tiny->new->get($url)->{status};
}

# Nothing, if the picture is served, is the one that was stored, and opens.
sub wrong_with {
    my ($row) = @_;
    my $res = api(GET => $row->{url});
    return "$row->{id}: HTTP $res->{status}" if $res->{status} != 200;
    return "$row->{id}: other bytes"         if sha256_hex($res->{content}) ne $row->{sha256};
    return "$row->{id}: does not open"       if !opens($res->{content});
    return;
}
