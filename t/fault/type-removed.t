#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A <GenflowType> is taken out of the configuration while its generations live: no dispatcher looks
# at them any more, and the janitor ends them at their deadline. No hold stays for ever.
use Genflow::Fault;
use Genflow::Test;
use Genflow::TwoStep;

my $TYPE  = 'leaving';
my $TIMES = "GenflowDispatchDrain 100ms\nGenflowJanitorInterval 1s\nGenflowPendingLifetime 5m\n";

sql("SELECT genflow.create_type(:'type')", type => $TYPE);
ok configure($TIMES . <<"END"), 'there is a type more';
<GenflowType $TYPE>
    GenflowTypeProviders fal/fal-ai/fast-sdxl
    GenflowTypeLifetime 5m
    GenflowTypeCost 1
</GenflowType>
END

my @CASES = (
    # what it is, how it begins, its end
    ['one that its provider has', sub { begun($_[0], 'poll-hang', 'working') }, 'failed TIMEOUT'],
    ['one that is retried later', sub { begun($_[0], 'status=503 retry-after=30', 'queued') },
        'failed TIMEOUT'],
    ['one that is not started', sub { made($_[0], { type => $TYPE, productImages => [], customPrompt => 'a shoe' }) }, 'cancelled'],
);
my @users = map { account(10) } @CASES;
my @ids   = map { $CASES[$_][1]->($users[$_]) } 0 .. $#CASES;

ok configure($TIMES), 'the type is taken out';

# The janitor leaves what was begun to the hosts for a minute after its deadline.
take_from_child($_, q{due_at = due_at - interval '7 minutes', deadline_at = deadline_at - interval '7 minutes'}) for @ids;
for my $i (0 .. $#CASES) {
    my ($name, undef, $end) = @{ $CASES[$i] };
    is end_of($ids[$i]), $end, "$name: $end";
    credits_are $users[$i], 10, 0, '... and its credit is given back';
}
is_deeply [map { submissions("[$_]") } @users], [1, 1, 0], 'nothing was sent again';
ok configure(''), 'all is as before';

# A generation that was sent once, and is in that phase now.
sub begun {
    my ($user, $script, $phase) = @_;
    my $id = later($user, { type => $TYPE, prompt => "{{$script}} [$user]" });
    my $is = "SELECT 1 FROM genflow.work WHERE job_id = :'id' AND phase = :'phase' AND attempts = 1";
    wait_for { sql1($is, id => $id, phase => $phase) } or die "it is not $phase\n";
    return $id;
}

# Read from its row: no address has the type any more.
sub end_of {
    my ($id) = @_;
    return wait_for {
        sql1("SELECT concat_ws(' ', status, error_code) FROM public.${TYPE}_media"
            . " WHERE id = :'id' AND finished_at IS NOT NULL", id => $id);
    };
}

finish;
