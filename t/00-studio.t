#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# The page in studio/: its texts are complete in each language, its errors say what docs/errors.md
# says, and nothing in it needs a weaker Content-Security-Policy. No browser is needed; t/studio has one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Test::More;

use Genflow::Site ();

use constant {
    MOST_LINES => 400,
    COLUMNS    => 100,
    MOST_BYTES => 100_000,    # HTML, CSS and modules together, without languages and genflow.js
    MOST_ADMIN => 60_000,     # the same of the page of administration, beside what it shares with the studio
};

my $TOP  = $ENV{GENFLOW_SRCDIR} || "$FindBin::Bin/..";
my %file = map { s{\A.*/}{}r => Genflow::Site::slurp($_) } glob "$TOP/studio/*.*";
my @code = grep { /\.(?:html|css|js)\z/ && !/\Agenflow/ } sort keys %file;
my %text = map { /\A([a-z]{2}(?:-[A-Za-z]+)?)\.json\z/ ? ($1 => JSON::PP->new->decode($file{$_})) : () } keys %file;

ok @code > 3, 'studio/ has the page';

# ---- texts ----

my @admin  = grep { /\Aadmin/ } @code;
my @studio = grep { !/\Aadmin/ } @code;
my %own    = map { /\Aadmin-(\w+)\.json\z/ ? ($1 => JSON::PP->new->decode($file{$_})) : () } keys %file;
my (%used, %maybe, @prefix);

# The page of administration has all texts of the studio, and its own.
find_keys(@admin);
is_deeply [sort keys %own], [sort keys %text], 'the page of administration speaks the languages of the studio';
for my $language (sort keys %own) {
    my %of = (%{ $text{$language} }, %{ $own{$language} });
    none("admin-$language.json or $language.json has every text that administration uses",
        grep { !exists $of{$_} } sort keys %used);
    compare("admin-$language.json", $own{$language}, $own{en});
    none("admin-$language.json has no key of $language.json",
        grep { $text{$language}{$_} } sort keys %{ $own{$language} });
}

find_keys(@studio);
ok $text{en} && $text{ja}, 'the page speaks English and Japanese';
for my $language (sort keys %text) {
    my $of = $text{$language};
    none("$language.json has every text that the page uses", grep { !exists $of->{$_} } sort keys %used);
    compare("$language.json", $of, $text{en});
}

# The texts that issue and requirements demand word by word.
my %exact = (
    'state.pending'    => ['生成待機中...',       'Added to queue'],
    'state.processing' => ['生成中... ({provider})', 'Generating... ({provider})'],
    'retries'          => ['リトライ回数: {n}/{max}', 'Retries: {n}/{max}'],
    'failed'           => ['❌ 外部生成に失敗しました', 'Generation failed'],
    'failed.retries'   => ['{n}回リトライしましたが失敗しました', 'Failed after {n} retries'],
    'retry'            => ['🔄 再試行',         'Retry'],
    'local'            => ['🎨 ローカル生成に切り替え', 'Switch to local generation'],
    'local.ask'        => [
        '外部生成に失敗しました。ローカル生成に切り替えますか？',
        'External generation failed. Switch to local generation?'
    ],
    'local.help' => [
        '外部生成がうまくいかない場合は、ローカル生成をお試しください。',
        'If external generation does not work, try local generation.'
    ],
    'done' => ['メディアの準備ができました', 'Your media is ready'],
);
for my $key (sort keys %exact) {
    my @have = map { my $value = $text{$_}{$key}; ref $value ? $value->{other} : $value } qw(ja en);
    is_deeply \@have, $exact{$key}, "the text $key is the demanded one in both languages";
}

# ---- errors ----

my %meaning = meanings();
ok %meaning, 'docs/errors.md has rows';
is_deeply [sort map { /\Aerror\.(.+)/ ? $1 : () } keys %{ $text{en} }], [sort keys %meaning],
    'the page has words for each error of docs/errors.md, and for no other';
none('the English words for an error are a meaning of docs/errors.md',
    grep { my $code = $_; !grep { $text{en}{"error.$code"} eq "$_." } @{ $meaning{$code} } } sort keys %meaning);

# ---- what the Content-Security-Policy forbids, and what would parse HTML ----

none("no file of the page has more than @{[MOST_LINES]} lines", grep { ($file{$_} =~ tr/\n//) > MOST_LINES } @code);
none("no line of the page has more than @{[COLUMNS]} columns", grep { length > COLUMNS } map { characters($file{$_}) } @code);
for (['the studio', MOST_BYTES, @studio], ['the page of administration', MOST_ADMIN, @admin]) {
    my ($page, $most, @names) = @$_;
    my $bytes = 0;
    $bytes += length $file{$_} for @names;
    cmp_ok $bytes, '<=', $most, "$page has at most $most bytes ($bytes)";
}

my $parses = qr/\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|document\.write|DOMParser|eval|new Function)\b
    |createContextualFragment|\.setAttribute\('(?:style|on\w+)'/x;
none('no module parses HTML or runs text as code', lines_with($parses, qr/\.js\z/));
none('no element has a style or a handler in its attributes', lines_with(qr/<[^>]*\s(?:style|on\w+)\s*=/i, qr/\.html\z/));
none('no page has a style sheet or a script in its text',
    lines_with(qr/<style\b|<script(?![^>]*\ssrc=)|javascript:/i, qr/\.html\z/));
none('nothing is loaded from elsewhere', lines_with(qr{(?:src|href|from|import|url)\W{0,3}(?:https?:)?//}, qr/./));
none('no text of the page stands in a module: it is in the languages',
    lines_with(qr/(?:textContent = |toast\(|say\()'[^']*[A-Za-z]/, qr/\.js\z/));

done_testing;

# ---- reading ----

sub find_keys {
    my (@names) = @_;
    %used   = map { $_ => 1 } map { keys_used($file{$_}) } @names;
    %maybe  = map { $_ => 1 } map { choices($file{$_}) } @names;
    @prefix = map { prefixes_used($file{$_}) } @names;
    return;
}

# The texts of a language against those in English, and against what the page of %used uses.
sub compare {
    my ($name, $of, $english) = @_;
    none("$name has no text that the page does not use", grep { !is_used($_) } sort keys %$of);
    none("$name has the keys in English", (grep { !exists $of->{$_} } sort keys %$english),
        grep { !exists $english->{$_} } sort keys %$of);
    none("$name has no empty text", grep { grep { !length } forms($of->{$_}) } sort keys %$of);
    none("$name puts the same values into a text as in English",
        grep { "@{[values_of($of->{$_})]}" ne "@{[values_of($english->{$_})]}" } sort keys %$of);
    none("$name names no key twice", repeated($file{$name} =~ /^  "([^"]+)":/mg));
    return;
}

# t('key'), button('key', ...), data-t="key", col('key') and field('key') of administration, and the lists of
# menus: ['key', act].
sub keys_used {
    my ($text) = @_;
    return (
        $text =~ /\bdata-t(?:-\w+)?="([^"]+)"/g,
        $text =~ /\b(?:t|button|menu|act)\('([\w.]+)'/g,
        (map { "col.$_" } $text =~ /\bcol\('(\w+)'/g),
        (map { "field.$_" } $text =~ /\bfield\('(\w+)'/g),
        $text =~ /\[\s*'([\w.]+)', (?:async )?\(\) =>/g,
        $text =~ /\b(?:choose|write)\('\w+', '([\w.]+)'/g,
        $text =~ /\bask\([^;]*, '([\w.]+)'\)/g,
        $text =~ /\bkey: '([\w.]+)'/g,
    );
}

# condition ? 'key' : 'key'; some of these are no texts.
sub choices {
    my ($text) = @_;
    return $text =~ /\? '([\w.]+)' : '([\w.]+)'/g;
}

# t(`state.${...}`): any text of that beginning may be used.
sub prefixes_used {
    my ($text) = @_;
    return ($text =~ /`([a-z]+\.)\$\{/g);
}

sub is_used {
    my ($key) = @_;
    return $used{$key} || $maybe{$key} || grep { index($key, $_) == 0 } @prefix;
}

sub forms { my ($value) = @_; return ref $value ? values %$value : $value }

sub values_of {
    my ($value) = @_;
    my %seen = map { map { $_ => 1 } /\{(\w+)\}/g } forms($value);
    return sort keys %seen;
}

# The meanings of each code. "see X" names a field of the JSON, which the page does not show.
sub meanings {
    my %of;
    for (split /\n/, Genflow::Site::slurp("$TOP/docs/errors.md")) {
        my ($code, $words) = /\A\| `(\w+)` \| [^|]* \| [^|]* \| ([^|]*) \|/ or next;
        $of{$code} = [map { s/; see .*//r } split /; (?=[A-Z])/, $words];
    }
    return %of;
}

sub lines_with {
    my ($wrong, $name) = @_;
    my @found;
    for my $file (grep { /$name/ } @code) {
        my $no = 0;
        for my $line (split /\n/, $file{$file}) {
            $no++;
            push @found, "studio/$file:$no: $line" if $line =~ /$wrong/;
        }
    }
    return @found;
}

sub characters { my ($text) = @_; utf8::decode($text); return split /\n/, $text }

sub repeated { my %count; return grep { $count{$_}++ == 1 } @_ }

sub none {
    my ($name, @found) = @_;
    is_deeply \@found, [], $name;
    return;
}
