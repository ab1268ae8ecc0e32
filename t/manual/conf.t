#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# Every configuration of docs/manual that is marked as one passes httpd -t as it stands there, but for the places of files, at a site
# that has a type.
use Genflow::Test;

use Genflow::Httpd qw(accepted refused);
use Genflow::Pages;

# What pages of the manual use of httpd's own.
my $MODULES = join '', map { -e "$ENV{GENFLOW_LIBEXEC}/mod_$_.so" ? "LoadModule ${_}_module \"\${GENFLOW_LIBEXEC}/mod_$_.so\"\n" : () }
    qw(authz_host headers proxy proxy_http remoteip ssl socache_shmcb log_config unique_id);
my $count = 0;
for my $page (map { s{\A\Q$ENV{GENFLOW_WORK}\E/}{}r } sort glob "$ENV{GENFLOW_WORK}/docs/manual/*.md") {
    for my $block (grep { $_->{use} eq 'conf' } blocks($page)) {
        accepted("$page, $block->{name}", $MODULES . ours($block->{text}));
        $count++;
    }
}
cmp_ok $count, '>', 8, 'the manual has configurations';
refused('... of which a wrong one', $MODULES . ours("GenflowPublicUrl images.example\n"), 'GenflowPublicUrl');
finish;

# Files of the pages are those of the test.
sub ours {
    my ($text) = @_;
    return $text =~ s{/etc/apache2/users}{\${GENFLOW_WORK}/t/conf/users}gr =~ s{/usr/share/mod_genflow/}{\${GENFLOW_WORK}/}gr
        =~ s{/var/lib/genflow/pictures}{\${GENFLOW_WORK}/store}gr =~ s{/var/log/apache2/}{\${GENFLOW_WORK}/t/logs/}gr;
}
