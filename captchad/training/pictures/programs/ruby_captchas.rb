# Draws with simple_captcha2, without Rails: ruby ruby_captchas.rb simple_captcha2
# Each line read is SEED<tab>TEXT; each answer is LENGTH<tab>TEXT, a line end, and LENGTH bytes of a picture.
require "active_support"
require "active_support/core_ext/module/attribute_accessors"

module SimpleCaptcha
  mattr_accessor :image_style, default: "simply_blue"
  mattr_accessor :distortion, default: "low"
  mattr_accessor :implode, default: "medium"
  mattr_accessor :image_size, default: "100x28"
  mattr_accessor :font, default: ""
  mattr_accessor :noise, default: 0

  # Stands in for the package's database and shell.
  module Utils
    def self.simple_captcha_value(text) = text

    def self.run(command, parameters) = IO.popen([command, *parameters.split], "rb", &:read)
  end
end

require "simple_captcha/image"

class Drawer
  include SimpleCaptcha::ImageHelpers

  def draw(text) = generate_simple_captcha_image(text)
end

STDOUT.binmode
STDOUT.sync = true
drawer = Drawer.new
STDIN.each_line(chomp: true) do |line|
  seed, = line.split("\t")
  srand(seed.to_i)
  is_default = rand < 0.5 || ENV["CAPTCHAD_GENERATORS_ALWAYS_DEFAULT"] == "1"
  SimpleCaptcha.image_style = is_default || rand < 0.3 ? "simply_blue" : "random"
  SimpleCaptcha.distortion = is_default || rand < 0.3 ? "low" : "random"
  text = Array.new(is_default ? 5 : rand(4..6)) { rand(65..90).chr }.join
  picture = drawer.draw(text)
  STDOUT.write("#{picture.bytesize}\t#{text}\n", picture)
end
