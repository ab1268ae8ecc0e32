#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# SECURITY.md is true: each of its lines has its checks here, or names the file that has them.
use Genflow::Admin;
use Genflow::Test;

my $SITE  = Genflow::Site->attach;
my $user  = account(9);
my $other = account(9);
my $made  = ended($user, later($user, { userId => $other }));
my $id    = $made->{id};

my %CHECKS = (
    'Clients' => sub {
        credits_are $other, 9, 0, 'a userId in a body is ignored';
        credits_are $user, 8, 0, '... the user is the authenticated one';
        error_is(api(GET => "/api/generation/$id", user => $other), 403, 'UNAUTHORIZED',
            'a generation is read by its owner alone');
        error_is(api(DELETE => "/api/generation/$id", user => $other), 403, 'UNAUTHORIZED',
            '... and deleted');
        is api(POST => '/api/neo-glitch/generate', user => $user, headers =>
            { 'Content-Type' => 'application/json' }, body => '[' x 200_000)->{status}, 400,
            'a body is bounded in depth';
        credits_are $user, 8, 0, '... before anything is held';
        checked_in('t/api/bad-json.t', 't/api/bad-request.t');
    },
    'Who may write a folder' => sub { checked_in('t/api/htaccess.t') },
    'Pages of other sites'   => sub {
        error_is(api(POST => '/api/neo-glitch/generate', user => $user,
            headers => { 'Content-Type' => 'text/plain' }, body => '{"prompt":"a cat"}'), 415,
            'UNSUPPORTED_MEDIA_TYPE', 'a body that a page may send unasked is refused');
        error_is(api(POST => '/api/credits-reserve', user => $user, json => {},
            headers => { 'Sec-Fetch-Site' => 'cross-site' }), 403, 'UNAUTHORIZED',
            'what another site has a browser send is refused');
        checked_in('t/api/cross-site.t');
    },
    "The user's name" => sub {
        is api(GET => '/api/getQuota', headers => { 'X-User' => '' })->{status}, 401,
            'where a variable is empty, there is no user';
        checked_in('t/api/user-empty.t');
    },
    'Source images' => sub {
        my $asset = data(upload($user, png(3, 2)))->{id};
        is api(GET => "/api/assets/$asset", user => $other)->{status}, 403,
            'a source image is shown to its owner alone';
        is upload($user, 'not a picture')->{status}, 422, '... and recognized by its bytes';
        checked_in('t/api/assets.t', 't/api/source.t');
    },
    'Webhooks' => sub {
        my ($one, $two) = map { data(api(GET => '/api/webhook-secret', user => $_))->{secret} }
            $user, $other;
        isnt $one, $two, 'each user has a secret of their own';
        checked_in('t/api/webhook-bad.t', 't/api/webhook-again.t', 't/api/webhook-secret.t');
    },
    'Providers' => sub { checked_in('t/provider/fetch.t', 't/provider/stranger.t') },
    'The role of requests' => sub {
        like as_role('genflow_app', "SELECT * FROM genflow.$_"), qr/permission denied/,
            "it cannot read genflow.$_" for qw(accounts ledger work types);
        like as_role('genflow_app', "SELECT genflow.grant_credits('$user', 1, 'theft')"),
            qr/permission denied/, '... give credits';
        like as_role('genflow_app', 'UPDATE genflow.ledger SET amount = 0'), qr/permission denied/,
            '... change a ledger row';
        is sql1(<<'SQL'), 0, '... or call any function of administration or of the doctor';
            SELECT count(*) FROM pg_proc p
             WHERE p.pronamespace = 'genflow'::regnamespace AND p.proname ~ '^(admin|doctor|grant)_'
               AND has_function_privilege('genflow_app', p.oid, 'EXECUTE')
SQL
        is_deeply [sql(<<'SQL')], [], '... it may execute what its group may, and nothing else';
            SELECT p.oid::regprocedure FROM pg_proc p
             WHERE p.pronamespace = 'genflow'::regnamespace AND p.prosecdef
               AND has_function_privilege('genflow_app', p.oid, 'EXECUTE')
               AND NOT has_function_privilege('genflow_module', p.oid, 'EXECUTE')
SQL
        like as_role('genflow_app', "SELECT genflow.$_"), qr/permission denied/, "... call $_" for
            "admin_credit('$user', 1, 'theft', NULL)", "admin_amounts('initial=1000000')", "admin_user_set('$user', '{}')",
            "ledger_apply()", "account_make('$user')";
        as_role('genflow_app', "SELECT genflow.allowance('$user', 1000000, 1000000, 1000000000, 0, 0, 'UTC')");
        credits_are $user, 8, 0, '... name what allowance() gives';
        like as_role('genflow_app', "SELECT genflow.allowance('$user-new'); SELECT balance FROM genflow.quota('$user-new')"),
            qr/^0$/m, '... to a new name neither';
        like as_role('genflow_app', "UPDATE genflow.amounts SET initial = 9"), qr/permission denied/, '... or write the amounts';
        like as_role('genflow_app', "SELECT count(*) FROM genflow.history('$user', '{neo-glitch}',"
            . ' NULL, NULL, NULL, NULL, 10)'), qr/\A1$/, 'it can act as every user';
        is sql1(<<'SQL'), 't', '... names the cost of what it starts';
            SELECT 'p_cost' = ANY (proargnames) FROM pg_proc
             WHERE proname = 'neo_glitch_create' AND has_function_privilege('genflow_app', oid, 'EXECUTE')
SQL
        is sql1("SELECT has_function_privilege('genflow_app', oid, 'EXECUTE') FROM pg_proc"
            . " WHERE proname = '$_' AND pronamespace = 'genflow'::regnamespace"), 't', "... and calls $_"
            for qw(janitor neo_glitch_claim neo_glitch_settle);
        checked_in('t/sql/privileges.pg', 't/sql/role_gains.t', 't/api/allowance.t');
    },
    'The role of administration' => sub {
        like as_role('genflow_admin', 'SELECT 1'), qr/no password supplied/,
            'a thief of DBDParams cannot become it';
        local $ENV{PGPASSWORD} = password();
        like as_role('genflow_admin', "SELECT genflow.admin_credit('$user', 1, 'a gift', 'of $user')"),
            qr/\Aok$/, 'it gives credits';
        like as_role('genflow_admin', 'SELECT * FROM genflow.accounts'), qr/permission denied/,
            '... and cannot read a table';
        is sql1("SELECT pg_has_role('genflow_app', 'genflow_admin', 'MEMBER')"), 'f',
            'the role of requests is no member of it';
        checked_in('t/sql/privileges.pg', 't/sql/grants.pg', 't/api/roles.t');
    },
    'The code that serves the API' => sub {
        my %callers = map { $_ => 1 } grep {
            Genflow::Site::read_text($_) =~ /\bhttpd_glue_administer\s*\(/
        } glob 'mod_genflow/*.c mod_genflow/*/*.c';
        is_deeply [sort keys %callers],
            [qw(mod_genflow/api/admin.c mod_genflow/httpd/glue.c)],
            'the door of genflow-admin alone uses a connection of administration';
        my @headers = glob 'mod_genflow/db/admin*.h';
        cmp_ok scalar @headers, '>=', 4, 'the calls of administration are in headers of their own';
        my %users = map { $_ => 1 } grep {
            Genflow::Site::slurp($_) =~ m{#include "db/admin\w*\.h"}
        } glob 'mod_genflow/*.c mod_genflow/{api,front,work,httpd,hub}/*.c';
        cmp_ok scalar(keys %users), '>=', 5, '... which files include';
        is_deeply [grep { !m{\Amod_genflow/(?:api/admin\w*|httpd/(?:glue|finish))\.c\z} } sort keys %users], [],
            '... and none of those that serve the API';
        checked_in('t/api/roles.t');
    },
    'A taken-over httpd child' => sub {
        my $found = in_memory((children())[0], password());
        SKIP: {
            skip 'this system does not let a process read another one', 1 if !defined $found;
            ok $found, 'the password of administration is in the memory of each child';
        }
    },
    'SQL functions' => sub { checked_in('t/sql/privileges.pg') },
    'Keys'          => sub {
        unlike Genflow::Site::read_text($SITE->error_log), qr/\Q$_\E/, 'no key is logged'
            for @ENV{qw(STABILITY_API_KEY PEERS_API_KEY WEBHOOK_SECRET STORE_SECRET)}, password();
        checked_in('t/api/roles.t');
    },
    'Stored pictures' => sub {
        like $made->{imageUrl}, qr{/generated/}, 'a picture has its address';
        is api(GET => $made->{imageUrl} =~ s{\Ahttp://[^/]+}{}r)->{status}, 200,
            '... which is public';
    },
);

my @claims = Genflow::Site::read_text('SECURITY.md') =~ /^- \*\*(.+?)\*\*/mg;
is_deeply [grep { !$CHECKS{$_} } @claims], [], 'every line of SECURITY.md has a check here';
is_deeply [grep { my $name = $_; !grep { $_ eq $name } @claims } sort keys %CHECKS], [],
    'every check belongs to a line of it';
subtest $_ => $CHECKS{$_} for grep { $CHECKS{$_} } @claims;
finish;

# The checks are in these files.
sub checked_in {
    my @files = @_;
    return is_deeply [grep { Genflow::Site::read_text($_) !~ /done_testing|finish/ } @files], [], "checked in @files";
}

# What psql answers that role.
sub as_role {
    my ($role, $statement) = @_;
    open my $psql, '-|', 'sh', '-c', 'exec psql -w -XqAt -U "$0" -c "$1" 2>&1', $role, $statement
        or die "psql: $!\n";
    local $/ = undef;
    return <$psql> // '';
}

sub password {
    my ($line) = split /\n/, Genflow::Site::read_text("$ENV{GENFLOW_WORK}/admin-password");
    return $line;
}

# Whether a process has a text in its memory; undef: it cannot be read.
sub in_memory {
    my ($pid, $text) = @_;
    open my $memory, '<:raw', "/proc/$pid/mem" or return;
    for my $line (split /\n/, Genflow::Site::read_text("/proc/$pid/maps")) {
        my ($from, $to) = $line =~ /\A([0-9a-f]+)-([0-9a-f]+) rw/ or next;
        no warnings 'portable';    # 64 bits
        my $size = hex($to) - hex $from;
        next if $size > 64 << 20 || !sysseek $memory, hex $from, 0;
        my $bytes;
        return 1 if sysread($memory, $bytes, $size) && index($bytes, $text) >= 0;
    }
    return 0;
}
