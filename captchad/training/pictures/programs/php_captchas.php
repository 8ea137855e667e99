<?php
// Draws with PHP's captcha packages: php php_captchas.php FAMILY FONT...
// Each line read is SEED<tab>TEXT; each answer is LENGTH<tab>TEXT, a line end, and LENGTH bytes of a picture.

// The packages are older than the language, and what it warns of would come out among the pictures.
error_reporting(0);
ini_set("display_errors", "stderr");

$fonts = array_slice($argv, 2);
$families = [
    "gregwar/captcha" => "makeGregwar",
    "gregwar/captcha-sum" => "makeGregwar",
    "Text_CAPTCHA" => "makeTextCaptcha",
];
$draw = $families[$argv[1]]($fonts);

while (($line = fgets(STDIN)) !== false) {
    [$seed, $text] = explode("\t", rtrim($line, "\n"));
    mt_srand((int) $seed);
    [$shown, $picture] = $draw($text);
    fwrite(STDOUT, strlen($picture) . "\t" . $shown . "\n" . $picture);
    fflush(STDOUT);
}

function choose(array $values): mixed
{
    return $values[mt_rand(0, count($values) - 1)];
}

function makeGregwar(array $fonts): callable
{
    require_once "Gregwar/Captcha/autoload.php";
    $isSum = str_ends_with($GLOBALS["argv"][1], "-sum");
    return function (string $text) use ($fonts, $isSum): array {
        if (mt_rand(0, 1)) {
            $builder = new Gregwar\Captcha\CaptchaBuilder($isSum ? $text : null);
            // Its letters are as large as the width lets them be, and three of them would not fit the height.
            $builder->build(min(150, 30 * strlen($builder->getPhrase())));
            return [$builder->getPhrase(), $builder->get()];
        }
        $builder = new Gregwar\Captcha\CaptchaBuilder($text);
        $builder->setDistortion(mt_rand(0, 4) > 0)->setInterpolation(mt_rand(0, 2) > 0);
        $builder->setMaxAngle(choose([0, 8, 8, 15, 25]))->setMaxOffset(choose([0, 5, 5, 10]));
        $builder->setMaxFrontLines(choose([null, null, 0, 1, 3]))->setMaxBehindLines(choose([null, null, 0, 3]));
        if (mt_rand(0, 1)) {
            $builder->setBackgroundColor(...choose([[255, 255, 255], [220, 210, 230], [240, 240, 220], [225, 237, 245]]));
        }
        $height = choose([36, 40, 50, 60]);
        $width = max(100, (int) (strlen($text) * $height * 0.7));
        return [$text, $builder->build($width, $height, $fonts && mt_rand(0, 1) ? choose($fonts) : null)->get()];
    };
}

function makeTextCaptcha(array $fonts): callable
{
    require_once "Image/Text.php";
    require_once "Text/CAPTCHA.php";
    require_once "Text/CAPTCHA/Driver/Image.php";
    return function (string $text) use ($fonts): array {
        // The package has no font of its own, so even its usual settings have to name one.
        $font = choose($fonts);
        $look = ["font_size" => 24, "font_path" => dirname($font), "font_file" => basename($font)];
        $options = ["width" => 200, "height" => 80, "output" => "png", "phrase" => $text];
        if (mt_rand(0, 1)) {
            $options["width"] = max(140, 36 * strlen($text));
            $options["height"] = choose([60, 80, 90]);
            $look["font_size"] = choose([20, 24, 28, 32]);
            $look["text_color"] = choose(["#000000", "#DDFF99", "#FFFFFF", "#102060"]);
            $look["lines_color"] = choose(["#CACACA", "#CCEEDD", "#808080"]);
            $look["background_color"] = $look["text_color"] < "#2" ? choose(["#EEEEEE", "#C0D0C0", "#FFFFFF"]) : "#555555";
        }
        $captcha = Text_CAPTCHA::factory("Image");
        $captcha->init($options + ["imageOptions" => $look]);
        return [$text, $captcha->getCAPTCHA()];
    };
}
