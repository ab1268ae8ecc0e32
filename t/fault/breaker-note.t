#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A failure is noted for the breaker with the provider's words, whatever these are. Where the note
# cannot be written, the job goes on all the same: it is retried, or ends.
use Genflow::Fault;
use Genflow::Test;

expect_log qw(GF0120 GF0205);

sql("SELECT genflow.create_type(:'type')", type => 'noted');
ok configure(<<'END'), 'a provider with a breaker';
<GenflowProvider noted>
    GenflowProviderKind stability
    GenflowProviderUrl "${GENFLOW_FAKE}"
    GenflowProviderKey env:STABILITY_API_KEY
    GenflowProviderBackoff 50ms
    GenflowProviderBreakerFailures 9
</GenflowProvider>
<GenflowType noted>
    GenflowTypeProviders noted/sd3
    GenflowTypeCost 1
    GenflowTypeRetries 2
</GenflowType>
END

my @CASES = (
    # script, status, how often it is sent, the test's name
    ['status=503 times=2', 'completed', 3, 'two failures'],
    ['status=503',         'failed',    3, 'failures to the end'],
);

# ---- words that are cut inside a character ----

for my $case (@CASES) {
    my ($script, $status, $sent, $name) = @$case;
    is_deeply made("$script kanji"), [$status, $sent], "$name, a reason in kanji: retried, then $status";
    my $reason = sql1("SELECT length(reason) > 60 AND right(reason, 1) = chr(x'6f22'::int) FROM genflow.breakers()"
        . " WHERE provider = 'noted'") // 'none';
    is $reason, $status eq 'failed' ? 't' : 'none', '... and noted, in whole characters';
}
sql("DELETE FROM genflow.breakers WHERE provider = 'noted'");

# ---- a note that cannot be written ----

sql(<<'SQL');
    CREATE FUNCTION genflow.no_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'this note is refused by a test'; END $$;
    CREATE TRIGGER no_note BEFORE INSERT OR UPDATE ON genflow.breakers
        FOR EACH ROW WHEN (NEW.provider = 'noted') EXECUTE FUNCTION genflow.no_note();
SQL
for my $case (@CASES) {
    my ($script, $status, $sent, $name) = @$case;
    is_deeply made($script), [$status, $sent], "$name that cannot be noted: retried, then $status";
}
sql('DROP FUNCTION genflow.no_note() CASCADE');

# [its status, how often it was sent]
sub made {
    my ($script) = @_;
    my $user = account(10);
    my $res  = generate($user, { type => 'noted', prompt => "{{$script}} [$user]" }, Prefer => 'wait=60');
    my $end  = ended($user, data($res)->{id}, 'noted');
    credits_are $user, $end->{status} eq 'completed' ? 9 : 10, 0, '(paid once if it completed, else never)';
    return [$end->{status}, submissions("[$user]")];
}

ok configure(''), 'the provider is taken out again';

finish;
