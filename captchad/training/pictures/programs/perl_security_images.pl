# Draws as GD::SecurityImage's demo does, and as the modules built on it ask it to: perl perl_security_images.pl FAMILY FONT...
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/seeded_answers.pl";
require GD::SecurityImage;

my ($family, @fonts) = @ARGV;
# A path with a space in it is none to GD.
@fonts = grep { !/\s/ } @fonts;
my %families = (
    'GD::SecurityImage-demo'   => [0, \&draw_demo],
    'GD::SecurityImage-magick' => [1, \&draw_demo],
    'GD::SecurityImage-users'  => [0, \&draw_for_users],
    'LemonLDAP::NG'            => [1, \&draw_lemonldap],
);
my ($uses_magick, $draw) = @{ $families{$family} };
GD::SecurityImage->import(use_magick => $uses_magick);

my $own_font = '/usr/share/fonts/truetype/staypuft/StayPuft.ttf';
# Colours and counts of the demo: lines, background, ink, ink of the lines, particles and dots of each.
my $grey  = [255, 255, 255];
my %looks = (
    ec      => [16, [0,   0,   0],   [84,  207, 112], [0,   0,   0],   1000, 1],
    ellipse => [15, [208, 202, 206], [184, 20,  180], [184, 20,  180], 2000, 1],
    circle  => [40, [210, 215, 196], [63,  143, 167], [210, 215, 196], 3500, 1],
    box     => [6,  $grey,           [245, 240, 220], [115, 115, 115], 3000, 2],
    rect    => [30, $grey,           [63,  143, 167], [226, 223, 169], 2000, 1],
    default => [10, $grey,           [68,  150, 125], [255, 0,   0],   5000, 1],
);
# Width and height of a picture of six digits, size of the letters, and the angle where all turn alike.
my @shapes = $uses_magick ? ([250, 100, 50, 0], [350, 100, 30, 1], [350, 80, 30, 1, 32])
    : ([220, 90, 30, 0], [360, 110, 25, 1], [360, 90, 25, 1, 30]);

answer($draw);

sub draw_demo {
    my $text     = shift;
    my $is_usual = rand() < 0.5;
    $text = join '', map { choose(0 .. 9) } 1 .. 6 if $is_usual;
    my ($width, $height, $size, $scrambles, $angle) = @{ choose(@shapes) };
    my $style = choose(sort keys %looks);
    my ($lines, $ground, $ink, $line_ink, $particles, $dots) = @{ $looks{$style} };
    my $font = $is_usual && -e $own_font ? $own_font : choose(@fonts);
    my %options = (font => $font, ptsize => $size, scramble => $scrambles, send_ctobg => 1, lines => $lines, bgcolor => $ground);
    $options{angle} = $angle if $angle;
    if (!$is_usual) {
        $width = int($width * (length($text) + 1) / 7);
        $options{lines} = int($lines * (0.4 + rand(0.6)));
        $particles = int(rand($particles));
        ($ink, $options{bgcolor}) = @{ choose([[20, 20, 60], $grey], [[70, 20, 20], [224, 224, 208]], [$ink, $ground]) };
    }
    my $image = GD::SecurityImage->new(width => $width, height => $height, rndmax => length($text), %options);
    $image->random($text)->create(ttf => $style, $ink, $line_ink)->particle($particles, $dots);
    my ($picture) = $image->out(force => 'png');
    return ($text, $picture);
}

# Plugins of Catalyst and CGI::Application with what their pages recommend, and HTML::FormHandler's field.
sub draw_for_users {
    my $text  = rand() < 0.5 ? shift : join '', map { choose(0 .. 9) } 1 .. 6;
    my $width = 8 * length($text);
    my ($options, $create, @particles) = @{ choose(
        [{ width => 32 + $width, height => 30, lines => 7, gd_font => 'giant' }, ['normal', 'rect'], 100],
        [{ width => 32 + $width, height => 20, lines => 2, gd_font => 'Large' }, ['normal', 'default']],
        [{ width => 50 + 2 * $width, height => 40, lines => 10, font => choose(@fonts), ptsize => 18, bgcolor => '#FFFF00' }, ['ttf', 'rect'], 300],
    ) };
    my $image = GD::SecurityImage->new(%$options, rndmax => length($text));
    $image->random($text)->create(@$create);
    $image->particle(@particles) if @particles;
    my ($picture) = $image->out(force => choose('png', 'jpeg'));
    return ($text, $picture);
}

sub draw_lemonldap {
    my $text     = shift;
    my $is_usual = rand() < 0.5;
    $text = join '', map { choose(0 .. 9) } 1 .. 6 if $is_usual || rand() < 0.5;
    my ($ink, $ground) = $is_usual ? ('#403030', '#FF644B') : @{ choose(['#403030', '#FFFFFF'], ['#202060', '#D0D8E8'], ['#104010', '#E8E8C0']) };
    my %shape = (width => 220, height => 40, lines => $is_usual ? 5 : choose(1 .. 10), scramble => 1);
    $shape{width} = 36 * length($text) if !$is_usual;
    my $image = GD::SecurityImage->new(%shape, gd_font => 'Giant', rndmax => length($text));
    $image->random($text)->create('normal', 'default', $ink, $ground);
    my ($picture) = $image->out(force => 'png');
    return ($text, $picture);
}
