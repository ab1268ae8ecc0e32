use strict;
use warnings;

use Apache::TestGenflow;
use HTTP::Tiny;
use MIME::Base64 qw(encode_base64);
use Test::More;

grant_credits('ann', 10);

my $poster = generate_ok('poster', { prompt => 'a lighthouse over a neon city' }, 'a poster is made', user => 'ann');
picture_ok($poster, 'its picture can be had');
credits_are('ann', 7, 'a poster costs 3 credits');

# The provider of this type plays recorded answers.
my $portrait = generate_ok('portrait', { prompt => 'a lighthouse keeper' }, 'a portrait is made', user => 'ann');
picture_ok($portrait, 'its picture can be had');
credits_are('ann', 5, 'a portrait costs 2 credits');

# What the site must refuse.
my ($answer, $body) = generate('poster', { prompt => 'a lighthouse' }, user => 'bob');
is $answer->{status}, 402, 'a user without credits gets none';
is $body->{code}, 'INSUFFICIENT_CREDITS', '... and learns why';

# The site's own sign-in.
is(HTTP::Tiny->new->get(suite_url('/api/getQuota'))->{status}, 401, 'the API asks for a password');
use_api('/api', Authorization => 'Basic ' . encode_base64('ann:secret', ''));
generate_ok('poster', { prompt => 'a lighthouse at noon' }, 'ann makes a poster by her password');
credits_are('ann', 2, '... and pays it');

books_ok('the books are sound');
done_testing;
