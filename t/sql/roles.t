#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# sql/apply and its two kinds of roles: a site of the version before, whose one role could administer,
# is brought to two by naming it with --role; sql/apply reports where that is not enough.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;

use Genflow::Database ();

my $db = Genflow::Database->new;
my ($old, $boss, $both) = map { "genflow_t_$_$$" } qw(old boss both);

# What a role may execute of administration.
sub allowed {
    my ($role) = @_;
    return $db->sql("SELECT count(*) FROM pg_proc p WHERE p.pronamespace = 'genflow'::regnamespace
        AND p.proname ~ '^(admin|doctor)_' AND has_function_privilege('$role', p.oid, 'EXECUTE')");
}

sub apply {
    my @arguments = @_;
    my $said = `PGDATABASE='@{[$db->name]}' '$FindBin::Bin/../../sql/apply' @arguments 2>&1`;
    return ($? >> 8, $said);
}

# ---- the version before ----

$db->sql("CREATE ROLE $old LOGIN", "GRANT genflow_module TO $old",
    'DO $$ DECLARE f regprocedure; BEGIN
         FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = \'genflow\'::regnamespace
                     AND p.proname LIKE \'admin\_%\' LOOP
             EXECUTE format(\'GRANT EXECUTE ON FUNCTION %s TO genflow_module\', f);
         END LOOP;
     END $$');
cmp_ok allowed($old), '>=', 14, 'the one role of the version before could administer';
my ($code, $said) = apply('--role', $old);
is $code, 0, 'the upgrade' or diag $said;
is allowed($old), 0, '... takes administration from it';
is $db->sql("SELECT has_function_privilege('$old', 'genflow.quota(text, text)', 'EXECUTE')"), 't',
    '... and leaves it what requests call';

# ---- a role that was given both ----

($code, $said) = apply('--admin-role', $boss);
is $code, 0, 'a role of administration is made' or diag $said;
cmp_ok allowed($boss), '>=', 20, '... and may call administration and the doctor';
is $db->sql("SELECT rolcanlogin FROM pg_roles WHERE rolname = '$boss'"), 't', '... and log in';
$db->sql("GRANT genflow_administration TO $old");
cmp_ok allowed($old), '>=', 20, 'a role of requests was made a member';
($code, $said) = apply('--role', $old);
is allowed($old), 0, '... --role takes that back' or diag $said;
unlike $said, qr/has the rights/, '... without a warning';
$db->sql("GRANT $boss TO $old");
($code, $said) = apply('--role', $old);
like $said, qr/sql\/apply: $old has the rights of genflow_administration/,
    'a role that has them through another is reported';
$db->sql("REVOKE $boss FROM $old");
($code, $said) = apply('--role', $both, '--admin-role', $both);
is $code, 2, 'one role for both is refused';
like $said, qr/both name $both/, '... with the reason';

$db->sql("REVOKE genflow_module FROM $old", "REVOKE genflow_administration FROM $boss",
    "DROP ROLE $old, $boss");
done_testing;
