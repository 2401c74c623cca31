// Runs in the page: says when a key was pressed, and when the picture of which value was presented.
//
// A picture counts as presented at the end of its frame: a task that is posted from an animation callback runs as soon
// as that frame has been laid out, painted and handed to the compositor. A page sees no further, and the way from there
// to the screen is the same for all. What draws outside an animation callback is presented by the frame that follows.
(kind) => {
  let pressed = 0;
  let pictures = [];
  let told = () => {};

  function atTheEndOfThisFrame(read) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      const value = read();
      if (value !== undefined) pictures.push({ value, at: performance.now() });
      told();
    };
    port2.postMessage(null);
  }

  const atTheEndOfTheNextFrame = (read) => requestAnimationFrame(() => atTheEndOfThisFrame(read));

  // Calls `then` whenever a property of one element is set, and leaves what setting it does.
  function whenSet(element, name, then) {
    const own = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), name);
    let held = element[name];
    Object.defineProperty(element, name, {
      get: () => (own ? own.get.call(element) : held),
      set: (value) => {
        if (own) own.set.call(element, value);
        else held = value;
        then(value);
      },
    });
  }

  // The pictures of the peers have a strip along their lower edge whose colour says which value they show.
  function valueOf(picture, width, height) {
    const column = new OffscreenCanvas(1, height).getContext("2d", { willReadFrequently: true });
    column.drawImage(picture, width >> 1, 0, 1, height, 0, 0, 1, height);
    const { data } = column.getImageData(0, 0, 1, height);
    for (let i = data.length - 4; i >= 0; i -= 4) {
      if (data[i] === 200 && data[i + 1] === 1) return 50 * data[i + 2];
    }
    return undefined;
  }

  // The explorer draws at once or in an animation callback, and says then what it has drawn.
  let inFrame = false;
  const nextFrame = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (act) =>
    nextFrame((now) => {
      inFrame = true;
      try {
        act(now);
      } finally {
        inFrame = false;
      }
    });
  function explorer(read) {
    const canvas = document.querySelector(".entrenar-viz-canvas");
    whenSet(canvas, "drawn", (drawn) => (inFrame ? atTheEndOfThisFrame : atTheEndOfTheNextFrame)(() => read(drawn)));
  }

  const watch = {
    cursor: () => explorer((drawn) => drawn.cursor),
    target: () => explorer((drawn) => drawn.curves.gradual.at(-1)[1]),
    text() {
      const entry = document.querySelector(".jp-OutputArea input[type=number]");
      whenSet(entry, "value", () => atTheEndOfTheNextFrame(() => Number(entry.value)));
    },
    image() {
      let last;
      new MutationObserver(() => {
        const image = document.querySelector(".jp-OutputArea img");
        if (!image || image.src === last) return;
        last = image.src;
        const read = () => valueOf(image, image.naturalWidth, image.naturalHeight);
        image.decode().then(() => atTheEndOfTheNextFrame(read));
      }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ["src"] });
    },
    // bqplot and plotly write the value last of all that changes.
    label() {
      let last;
      const written = () => {
        for (const { textContent } of document.querySelectorAll(".jp-OutputArea svg text")) {
          if (textContent.startsWith("step ")) return Number(textContent.slice(5));
        }
        return undefined;
      };
      new MutationObserver(() => {
        const value = written();
        if (value === last) return;
        last = value;
        atTheEndOfTheNextFrame(() => value);
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    },
    ipympl() {
      const canvas = document.querySelector(".jupyter-matplotlib canvas");
      const context = canvas.getContext("2d");
      context.drawImage = (...given) => {
        CanvasRenderingContext2D.prototype.drawImage.apply(context, given);
        atTheEndOfTheNextFrame(() => valueOf(canvas, canvas.width, canvas.height));
      };
    },
  };

  window.addEventListener("keydown", (event) => (pressed = event.timeStamp), { capture: true });
  const is = (value) => (picture) => Math.abs(picture.value - value) < 1e-4 * Math.max(1, value);
  window.stopwatch = {
    // Milliseconds from the key to the first picture of `value`, once the last picture shows it.
    until: (value) =>
      new Promise((resolve, reject) => {
        const shown = () => JSON.stringify(pictures.slice(-3));
        const late = setTimeout(() => reject(new Error(`no picture of ${value}; last ones: ${shown()}`)), 20_000);
        told = () => {
          if (!pictures.length || !is(value)(pictures.at(-1))) return;
          clearTimeout(late);
          told = () => {};
          resolve(pictures.find((picture) => picture.at > pressed && is(value)(picture))?.at - pressed);
        };
        told();
      }),
    // Drags a handle to and fro, two pixels a frame, with events of the mouse sent before each frame: that is when
    // Chromium sends those of a real mouse, too. A slider that is an `input` does not hear of such events: its value is
    // set as the browser sets it, with the event that the browser then sends. Says how often a second the mouse moved, the picture was drawn, and it
    // was then one of another value than before.
    drag: async (handle, reach, duration) => {
      const box = handle.getBoundingClientRect();
      const mouse = (target, type, by) => {
        const place = { clientX: box.x + box.width / 2 + by, clientY: box.y + box.height / 2, buttons: 1 };
        target.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, view: window, ...place }));
      };
      const frame = () => new Promise(requestAnimationFrame);
      const native = handle.matches("input");
      const [start, pixel] = [handle.valueAsNumber, Number(handle.max) / (box.width - 16)];
      const move = (by) => {
        if (!native) return mouse(document.documentElement, "mousemove", by);
        handle.valueAsNumber = start + by * pixel;
        return handle.dispatchEvent(new Event("input", { bubbles: true }));
      };
      const down = native ? new PointerEvent("pointerdown", { bubbles: true }) : null;
      if (down) handle.dispatchEvent(down);
      else mouse(handle.firstElementChild, "mousedown", 0);
      await frame();
      pictures = [];
      const begin = performance.now();
      let moves = 0;
      for (; performance.now() < begin + duration; await frame()) {
        moves += 1;
        const along = moves % (2 * reach);
        move(2 * Math.min(along, 2 * reach - along));
      }
      const end = performance.now();
      if (native) handle.dispatchEvent(new PointerEvent("pointerup", { bubbles: true }));
      else mouse(document.documentElement, "mouseup", 0);
      const within = pictures.filter(({ at }) => at <= end);
      const changed = within.filter(({ value }, i) => i === 0 || value !== within[i - 1].value);
      const rate = (count) => (1000 * count) / (end - begin);
      return { moves: rate(moves), drawings: rate(within.length), pictures: rate(changed.length) };
    },
  };
  watch[kind]();
}
