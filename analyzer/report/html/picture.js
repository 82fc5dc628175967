// A picture that costs nothing until it comes near to what is seen, or is about to be printed.

// `draw` fills `box`, then and whenever the box's width has changed. Returns what draws it anew;
// that does nothing where the picture has not been near yet.
export function picture(box, draw) {
  let near = false, width = 0;
  function redraw() {
    if (!near) return;
    width = box.clientWidth;
    draw();
  }
  function begin() {
    nearness.disconnect();
    window.removeEventListener("beforeprint", begin);
    near = true;
    redraw();
    new ResizeObserver(() => { if (Math.abs(box.clientWidth - width) > 1) redraw(); }).observe(box);
  }
  const nearness = new IntersectionObserver(
    (seen) => { if (seen.some((one) => one.isIntersecting)) begin(); }, { rootMargin: "300px" });
  nearness.observe(box);
  window.addEventListener("beforeprint", begin);
  return redraw;
}
