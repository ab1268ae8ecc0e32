package Genflow::Metrics;
# SPDX-License-Identifier: Apache-2.0
# Reads genflow-metrics: values by name and labels, histograms that contradict themselves, what
# promtool says.
use strict;
use warnings;

use Exporter qw(import);
use File::Temp ();
use Genflow::Test;

our @EXPORT = qw(metrics values_of is_grown wrong_histograms has_promtool promtool);

# All values of the site that the tests talk to: 'name{labels}' => value.
sub metrics {
    my $res = api(GET => '/metrics');
    die "genflow-metrics answers $res->{status}\n" if $res->{status} != 200;
    return values_of($res->{content});
}

sub values_of {
    my ($text) = @_;
    return map { /\A(genflow_\w+(?:\{.*\})?) (\S+)\z/ ? ($1 => $2) : () } split /\n/, $text;
}

# Other tests of the same site count, too.
sub is_grown {
    my ($before, $after, $name, $by, $says) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return cmp_ok(($after->{$name} // 0) - ($before->{$name} // 0), '>=', $by, $says);
}

# What is wrong with the histograms of a text, as sentences.
sub wrong_histograms {
    my ($text) = @_;
    my (%last, %end, @wrong);
    for (split /\n/, $text) {
        if (/\A(\w+)_bucket\{(?:(.*),)?le="([^"]+)"\} (\d+)\z/) {
            my ($series, $bound, $count) = ("$1\{" . ($2 // '') . '}', $3, $4);
            push @wrong, "$series falls at $bound" if $count < ($last{$series} // 0);
            $last{$series} = $count;
            $end{$series}  = $count if $bound eq '+Inf';
        }
        elsif (/\A(\w+)_count(?:\{(.*)\})? (\d+)\z/) {
            my $series = "$1\{" . ($2 // '') . '}';
            push @wrong, "$series counts $3, its last bucket " . ($end{$series} // 'is missing')
                if ($end{$series} // -1) != $3;
        }
    }
    push @wrong, 'there are none' if !%end;
    return \@wrong;
}

sub has_promtool { return scalar grep { -x "$_/promtool" } split /:/, $ENV{PATH} }

# Its lines about a text; none: all is well.
sub promtool {
    my ($text) = @_;
    my $file = File::Temp->new;
    print {$file} $text or die "write: $!\n";
    close $file or die "close: $!\n";
    my @lines = `promtool check metrics < '$file' 2>&1`;
    push @lines, "promtool ended with $?" if $?;
    return \@lines;
}

1;
