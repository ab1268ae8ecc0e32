#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# A body that is not one JSON object in UTF-8 is refused with 400 VALIDATION_ERROR, however it is
# broken, and the response names it. Nothing is held for it, no row is made, the server goes on.
use Genflow::Test;

my $user = account(10);

my %BROKEN = (
    'an empty body'               => '',
    'a body of spaces'            => "  \n",
    'a word'                      => 'hello',
    'a cut object'                => '{"prompt":"a cat","presetKey":"base"',
    'a cut text'                  => '{"prompt":"a cat',
    'single quotes'               => "{'prompt':'a cat'}",
    'a comment'                   => '/* hi */ {"prompt":"a cat","presetKey":"base"}',
    'a comma too many'            => '{"prompt":"a cat","presetKey":"base",}',
    'a second object behind'      => '{"prompt":"a cat","presetKey":"base"} {}',
    'a NUL behind'                => qq({"prompt":"a cat","presetKey":"base"}\0),
    'a list'                      => '[{"prompt":"a cat","presetKey":"base"}]',
    'a text'                      => '"a cat"',
    'null'                        => 'null ',
    'bytes that are no UTF-8'     => qq({"prompt":"a \xff cat","presetKey":"base"}),
    'an overlong slash'           => qq({"prompt":"a \xc0\xaf cat","presetKey":"base"}),
    'half of a pair in UTF-8'     => qq({"prompt":"a \xed\xa0\x80 cat","presetKey":"base"}),
    'more than Unicode has'       => qq({"prompt":"a \xf4\x90\x80\x80 cat","presetKey":"base"}),
    'a cut character'             => qq({"prompt":"a cat \xe2\x82","presetKey":"base"}),
    'nesting 100 deep'            => '{"parameters":' . '[' x 100 . ']' x 100 . '}',
    'nesting a million deep'      => '[' x 1_000_000,
    'more than 10,000 values'     => '{"a":[' . '{},' x 10_000 . '{}]}',
    'ten megabytes of values'     => '{"a":[' . '{},' x 3_000_000 . '{}]}',
    'a name twice'                => '{"prompt":"a cat","presetKey":"base","prompt":"a dog"}',
    'a name twice in parameters'  =>
        '{"prompt":"a cat","presetKey":"base","parameters":{"x":1,"\u0078":2}}',
    'a name with a NUL'           => '{"prompt":"a cat","presetKey":"base","a\u0000":1}',
    'half of a pair'              => '{"prompt":"a \ud83d cat","presetKey":"base"}',
    'a raw control character'     => qq({"prompt":"a \x01 cat","presetKey":"base"}),
    'a raw line end'              => qq({"prompt":"a\ncat","presetKey":"base"}),
    'a seed that is NaN'          => '{"prompt":"a cat","presetKey":"base","seed":NaN}',
    'a parameter that is NaN'     => '{"prompt":"a cat","presetKey":"base","parameters":{"x":NaN}}',
    'a parameter that is endless' =>
        '{"prompt":"a cat","presetKey":"base","parameters":{"x":-Infinity}}',
);
for my $what (sort keys %BROKEN) {
    my $res = post($BROKEN{$what});
    error_is($res, 400, 'VALIDATION_ERROR', "$what is no request");
    is_deeply named($res), ['body'], 'and the response names the body';
}

credits_are $user, 10, 0, 'all that cost nothing';
is rows_of($user, 'public.neo_glitch_media'), 0, 'and left no row';
is post(qq( {"prompt":"a \xe7\x8c\xab","presetKey":"base"}\n))->{status}, 200,
    'the server makes pictures as before, and takes spaces around the object';

finish;

sub post {
    my ($body) = @_;
    my %headers = ('Content-Type' => 'application/json; charset=utf-8');
    return api(POST => '/api/neo-glitch/generate', user => $user, body => $body,
        headers => \%headers);
}

# The fields that an error names.
sub named {
    my ($res) = @_;
    return [map { $_->{field} } @{ data($res)->{validationErrors} // [] }];
}
