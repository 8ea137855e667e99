// An element's shadow root: an open one, or a closed one that closed_roots.py has made known to this world.
const shadowOf = (element) => element.shadowRoot instanceof ShadowRoot ? element.shadowRoot
  : element.captchadRoot instanceof ShadowRoot ? element.captchadRoot : null;
