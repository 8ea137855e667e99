# Draws with Perl's captcha modules: perl perl_captchas.pl FAMILY FONT...
use strict;
use warnings;
use FindBin;
require "$FindBin::Bin/seeded_answers.pl";

my ($family, @fonts) = @ARGV;
my %families = ('Authen::Captcha' => \&make_authen, 'GD::SecurityImage' => \&make_security_image);
answer($families{$family}->());

sub make_authen {
    require Authen::Captcha;
    my $captcha = Authen::Captcha->new();
    my @characters = ('a' .. 'h', 'j', 'k', 'm', 'n', 'p' .. 'z', 2 .. 9);
    return sub {
        my $code = join '', map { choose(@characters) } 1 .. choose(4, 5, 5, 6);
        return ($code, ${ $captcha->create_image_file($code) });
    };
}

sub make_security_image {
    require GD::SecurityImage;
    GD::SecurityImage->import(use_magick => 0);
    return sub {
        my $text = shift;
        return draw_as_documented() if rand() < 0.5 || ($ENV{CAPTCHAD_GENERATORS_ALWAYS_DEFAULT} // '') eq '1';
        my $is_plain = !@fonts || rand() < 0.5;
        my %font = $is_plain
            ? (width => 12 * length($text) + 30, height => 30, gd_font => choose('giant', 'large'))
            : (width => 30 * length($text) + 40, height => 70, font => choose(@fonts), ptsize => choose(20, 24, 28));
        my $image = GD::SecurityImage->new(%font, rndmax => length($text), lines => choose(1 .. 8), scramble => $is_plain ? 0 : choose(0, 1));
        $image->random($text);
        my $style = choose('default', 'rect', 'box', 'circle', 'ellipse', 'ec', 'blank');
        my $ink = choose('#000000', '#402020', '#204060');
        $image->create($is_plain ? 'normal' : 'ttf', $style, $ink, choose('#c8c8c8', '#a0a0d0', '#d0a080'));
        $image->particle(choose(20, 50, 100), 1) if rand() < 0.6;
        my ($picture) = $image->out(force => 'png');
        return ($text, $picture);
    };
}

sub draw_as_documented {
    my $image = GD::SecurityImage->new(width => 80, height => 30, lines => 10, gd_font => 'giant');
    my $text = join '', map { choose(0 .. 9) } 1 .. 6;
    $image->random($text);
    $image->create('normal', 'rect');
    my ($picture) = $image->out(force => 'png');
    return ($text, $picture);
}
