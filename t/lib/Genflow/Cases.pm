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

our @EXPORT = qw(run_cases);

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
