# SPDX-License-Identifier: Apache-2.0
#
# Every way in which one provider can answer, or not, as a table that t/provider/*.t fill in: what
# the client gets, what it costs, how often the request was sent, what the row says, which files
# are left.
#
#     run_cases(type => 'echo-fal', id => 'provider_ref', cases => [
#         # script, errorCode, how each submission ended, the test's name
#         ['poll=2', '', 'completed', 'a picture'],
#         ['filter', 'CONTENT_FILTERED', 'CONTENT_FILTERED', 'a refused one'],
#     ]);
#
# Where the table has no errorCode, the generation completes. An errorCode may name its cause behind
# a blank. `id` is the column of the provider's id; without it the provider has none.

package Genflow::Cases;

use strict;
use warnings;

use parent 'Exporter';

use Genflow::Test;

our @EXPORT = qw(run_cases cases_of_queues);

# What a provider with a queue and a list of its runs can do, whichever it is.
sub cases_of_queues {
    return (
        ['poll=3', '', 'completed', 'a run that takes its time'],
        ['poll=1 poll-status=500', '', 'completed', 'a question that fails'],
        ['datauri', '', 'completed', 'a data: URI'],
        ['nsfw', 'CONTENT_FILTERED', 'CONTENT_FILTERED', 'a marked picture'],
        ['empty', 'EMPTY_RESULT', 'EMPTY_RESULT', 'no picture'],
        ['poll-hang', 'TIMEOUT', 'TIMEOUT', 'one that never ends'],
        ['status=401', 'API_ERROR', 'API_ERROR', '401'],
        ['status=404', 'API_ERROR', 'API_ERROR', '404, an unknown model'],
        ['status=429 retry-after=1 times=1 untaken', '', 'RATE_LIMIT completed', '429, then a picture'],
        ['status=500 times=1 untaken', '', 'API_ERROR completed', '500, then a picture'],
        ['status=503 untaken', 'MAX_RETRIES_EXCEEDED API_ERROR', 'API_ERROR API_ERROR API_ERROR MAX_RETRIES_EXCEEDED', '503 for ever'],
        ['cut-before', '', 'completed', 'a lost answer: found again'],
        ['cut-before poll=2', '', 'completed', 'a lost answer: found while it works'],
        ['cut-after', '', 'completed', 'an answer cut in the middle: found again'],
        ['half', '', 'completed', 'half an answer: found again'],
    );
}

sub run_cases {
    my %table = @_;
    my @cases = @{ $table{cases} };
    my @users = map { account(10) } @cases;
    my @done  = in_parallel(scalar @cases, sub {
        my ($i) = @_;
        my %input = (prompt => "{{$cases[$i][0]}} [$users[$i]]", type => $table{type});
        my $res;
        wait_for {                              # until it has ended, however slow the machine is
            $res = generate($users[$i], \%input, Prefer => 'wait=60', 'Idempotency-Key' => "case-$i");
            $res->{status} != 202 && $res->{status} != 409;
        };
        return { status => $res->{status}, body => data($res) };
    }, 16);
    check_case(\%table, $cases[$_], $users[$_], $done[$_]) for 0 .. $#cases;
    return;
}

sub check_case {
    my ($table, $case, $user, $done) = @_;
    my ($script, $errors, $sent, $name) = @$case;
    my ($error, $cause) = ((split(/ /, $errors)), '', '');
    my $body = $done->{body};
    my $id   = $body->{id};
    is_deeply [$done->{status}, $body->{errorCode} // '', $body->{causeCode} // ''],
        [$error ? 500 : 200, $error, $cause], "$name: " . ($error || 'completed');
    credits_are $user, $error ? 10 : 9, 0, '... costs ' . ($error ? 'nothing' : 'one credit');
    is submissions("[$user]"), scalar(split / /, $sent), '... is sent so often';
    is attempts($id), $sent, '... and each attempt is on record';
    is files($id), $error ? '' : 'picture', '... and leaves ' . ($error ? 'no file' : 'a picture');
    is row($table, $id), $error ? 'failed|' : 'completed|t', '... and the row says it';
    return if $error;

    my $generation = status_of($user, $id, $table->{type});
    is provider_id($table, $id), 't', '... and the row knows the provider\'s id' if $table->{id};
    like $generation->{imageUrl} // '', qr{\A/generated/|\A\Q${\ base() }\E/generated/},
        '... and its address is ours';
    return;
}

sub attempts {
    my ($id) = @_;
    return sql1("SELECT string_agg(outcome, ' ' ORDER BY no) FROM genflow.attempts"
        . " WHERE job_id = :'id'", id => $id);
}

sub relation {
    my ($table) = @_;
    return 'public.' . ($table->{type} =~ tr/-/_/r) . '_media';
}

sub row {
    my ($table, $id) = @_;
    my $relation = relation($table);
    return sql1("SELECT status, persisted FROM $relation WHERE id = :'id'", id => $id);
}

sub provider_id {
    my ($table, $id) = @_;
    my $relation = relation($table);
    return sql1("SELECT $table->{id} IS NOT NULL FROM $relation WHERE id = :'id'", id => $id);
}

sub files {
    my ($id) = @_;
    my $store = "$ENV{GENFLOW_WORK}/store";
    return join ' ', (map { 'picture' } glob "$store/*/*/$id*"),
        (map { 'spool' } glob "$store/.spool/$id*");
}

1;
