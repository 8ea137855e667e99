// Recognises behavioural captchas, which are never touched: by publicly known names, and by what they ask for.

// A cheap first test: most labels match none of the vendors below.
const VENDOR = new RegExp("aptcha|turnstile|challenge|geetest|gt4?\\.js|arkose|smart-token|frc-|fc-token|friendly|yidun|dun\\.163|126\\.net|" +
  "awswaf|alicdn|nc[-_]|altcha|cap-(widget|token)|@cap\\.js|prosopo|slid|drag|puzzle|jigsaw|rotate|click|verif|px-|dx-|dingxiang", "i");
const SOME_SLIDER = "a slider or click captcha";
// What is publicly known of each: "<" a tag, " x " a class, "#" an id, "@" a field's name, "=" an address.
const VENDORS = [
  ["reCAPTCHA Enterprise", /=\S*\/recaptcha\/enterprise/],
  ["reCAPTCHA v3", /=\S*\/recaptcha\/api\.js\?(\S*&)?render=(?!explicit|onload)/],
  ["reCAPTCHA", / g-recaptcha | grecaptcha-badge |@g-recaptcha-response|=\S*(\/recaptcha\/(api|releases)|recaptcha\.net\/)/],
  ["hCaptcha", / h-captcha |@h-captcha-response|=\S*\bhcaptcha\.com\//],
  ["Turnstile", / cf-turnstile |@cf-turnstile-response|=\S*(challenges\.cloudflare\.com|\/challenge-platform\/h\/)| #challenge-(form|stage|running)/],
  ["GeeTest v4", / geetest_captcha |=\S*(gcaptcha4\.geetest|geetest\.com\/v4|\/gt4\.js)/],
  ["GeeTest v3", / geetest_\S+ |@geetest_\w+|=\S*(geetest\.com|\/gt\.js)/],
  ["FunCaptcha (Arkose Labs)", / funcaptcha | #FunCaptcha|@fc-token|=\S*(arkoselabs|funcaptcha)\.com/i],
  ["Yandex SmartCaptcha", / (smart-captcha|CheckboxCaptcha|AdvancedCaptcha) |@smart-token|=\S*smartcaptcha\.(yandex|cloud)/],
  ["Friendly Captcha", / frc-captcha |@frc-captcha-\w+|=\S*(friendly-challenge|friendlycaptcha|friendly-captcha)/],
  ["MTCaptcha", / mtcaptcha |@mtcaptcha-\w+|=\S*mtcaptcha\.com/],
  ["KeyCAPTCHA", / #div_for_keycaptcha|=\S*keycaptcha\.com/],
  ["Tencent Captcha", / #TencentCaptcha| tcaptcha-\S+ | #tcaptcha\w*|=\S*(captcha\.(qq|gtimg|qcloud)|TCaptcha\S*\.js)/],
  ["Aliyun Captcha", / (nc-container|nc_wrapper|aliyunCaptcha\S*) | #(nc_\d|aliyunCaptcha)|=\S*(alicdn\.com\/(AWSC|captcha-frontend|sd\/ncpc)|aliyunCaptcha)/],
  ["NetEase YiDun", / yidun\S* |@NECaptchaValidate|=\S*(cstaticdun\.126\.net|dun\.163(yun)?\.com)/],
  ["AWS WAF Captcha", /<awswaf-captcha| #awswaf\S*|=\S*awswaf\.com/],
  ["DataDome", / #datadome-captcha|=\S*captcha-delivery\.com/],
  ["HUMAN press and hold (PerimeterX)", / (#?px-captcha\S*) |=\S*captcha\.px-c(dn|loud)\.net/],
  ["ALTCHA", /<altcha-widget| altcha |=\S*\/altcha(\.\w+)*\.js/],
  ["mCaptcha", / #?mcaptcha__\S+|@mcaptcha__token|=\S*mcaptcha\.org/],
  ["Cap", /<cap-widget|@cap-token|=\S*(@cap\.js|cap-widget)/],
  ["Prosopo Procaptcha", / procaptcha |@procaptcha-response|=\S*prosopo\.io/],
  ["CaptchaFox", / captchafox |@cf-captcha-response|=\S*captchafox\.com/],
  ["Vaptcha", / vaptcha-\S+ |=\S*\bvaptcha\.com/],
  ["Dingxiang Captcha", / dx-captcha\S* |=\S*dingxiang-inc\.com/],
  [SOME_SLIDER, / #?\S*(slid(er?|ing)[-_]?(captcha|verif\w*)|(captcha|verify|verification)[-_]?(slid(er|e|ing)|puzzle|jigsaw|drag|rotate)|(drag|puzzle|jigsaw|rotate|word-?click|click-?word)[-_]?(captcha|verif\w*)|verify-(bar|move|left-bar)\S*|tianai-captcha)\S* /i],
];
const SLIDE = new RegExp("(slide|drag|swipe)( \\S+){0,3} to (verify|unlock|continue|complete|prove)|(slide|drag) the (slider|puzzle|piece)|" +
  "press (&|and) hold|滑块|滑塊|滑动验证|向右滑|拖动.{0,8}(拼图|验证|完成)|(依次|顺序)点击|スライドして|밀어서 (인증|확인)|" +
  "(сдвиньте|перетащите|передвиньте) (ползунок|слайдер|пазл)|(desliza|deslize) para|(glissez|faites glisser) pour|schieben sie", "i");
const SLIDE_LENGTH = 40, SLIDE_TEXTS_LIMIT = 5000;

const findVendor = (label) => {
  const known = VENDOR.test(label) ? VENDORS.find(([, sign]) => sign.test(label)) : null;
  return known ? known[0] : null;
};

// What only words give away, as "slide to verify" does: short texts, so that no article about sliders counts.
const markTexts = (found) => {
  const walker = document.createTreeWalker(document.body || document, NodeFilter.SHOW_TEXT);
  for (let steps = 0; steps < SLIDE_TEXTS_LIMIT && walker.nextNode(); steps++) {
    const { data, parentElement } = walker.currentNode;
    const isShort = data.length < 3 * SLIDE_LENGTH && data.trim().length <= SLIDE_LENGTH;
    if (isShort && SLIDE.test(data) && isReadText(walker.currentNode) && parentElement && isVisible(parentElement)) {
      found.marks.push({ element: parentElement, vendor: SOME_SLIDER });
    }
  }
};

// The form of an element; without one the smallest part of the page with a text field and a button, as a login has.
const blockOf = (found, element) => {
  const form = closest(element, "form");
  if (form) return form;
  for (let at = parentOf(element), steps = 0; at && steps < BLOCK_STEPS; at = parentOf(at), steps++) {
    const isWhole = at === document.body || at === document.documentElement;
    if (isWhole && (document.forms.length || found.shown.length > BLOCK_FIELDS)) return null;
    if (found.shown.some((field) => holds(at, field.element)) && found.buttons.some((button) => holds(at, button))) return at;
  }
  return null;
};
const BLOCK_STEPS = 12, BLOCK_FIELDS = 5;

// A script's own place says something only where it is in a form.
const behaviouralIn = (found, block) => {
  const isForm = block && block.localName === "form";
  const mark = block && found.marks.find((one) => (isForm || one.element.localName !== "script") && holds(block, one.element));
  return mark ? mark.vendor : null;
};
// The pictures of a puzzle are part of it.
const partOf = (found, element) => {
  const mark = found.marks.find((one) => !/^(form|body|html)$/.test(one.element.localName) && holds(one.element, element));
  return mark ? mark.vendor : null;
};
