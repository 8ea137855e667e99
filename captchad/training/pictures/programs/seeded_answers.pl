# What the scripts that draw with Perl's captcha modules have in common: seeded randomness, and answering lines.
# Each line read is SEED<tab>TEXT; each answer is LENGTH<tab>TEXT, a line end, and LENGTH bytes of a picture.
use strict;
use warnings;

sub choose { return $_[int(rand(@_))] }

sub answer {
    my $draw = shift;
    binmode STDOUT;
    $| = 1;
    while (my $line = <STDIN>) {
        chomp $line;
        my ($seed, $text) = split /\t/, $line;
        srand($seed);
        my ($shown, $picture) = $draw->($text);
        print length($picture), "\t", $shown, "\n", $picture;
    }
}

1;
