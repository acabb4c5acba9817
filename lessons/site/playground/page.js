// The page of the playground: it builds the four tasks, lets people drag, and asks the networks.
//
// Classic scripts, not modules, and no fetch: so the page also works when it is opened from a file (see README.md).
// `minicoord.catalog` comes from catalog.js, a network from networks/NAME.js when its task is first seen.

"use strict";

(() => {
  const HERE = document.currentScript.src;
  const SIZE = 64; // pixels of the canvas, each way
  const [LOWEST, HIGHEST] = [4, 59]; // where a square of 9 x 9 pixels fits
  const { catalog } = window.minicoord;
  const { convolution, softmax, sigmoid } = defineLayers();
  const MARKS = ["#e69f00", "#cc79a7", "#56b4e9"]; // told apart by colour-blind people, and by their shapes

  // Small helpers

  function element(tag, { set = {}, ...properties } = {}, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    for (const [name, value] of Object.entries(set)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const clamp = (value, low, high) => Math.min(Math.max(Math.round(value), low), high);
  const scaled = (pixel) => (2 * pixel) / (SIZE - 1) - 1;
  const pixels = (distance) => (distance < 0.05 ? "right on it" : `${distance.toFixed(1)} pixels off`);
  const percent = (share) => (share > 0 && share < 0.0005 ? "below 0.1 %" : `${(100 * share).toFixed(1)} %`);

  // For each split, whether each pixel (row * 64 + column) was a centre of the training set.
  const trained = Object.fromEntries(
    Object.entries(catalog.trained).map(([split, bits]) => {
      const bytes = bytesOf(bits);
      return [split, Uint8Array.from({ length: SIZE * SIZE }, (_, at) => (bytes[at >> 3] >> (7 - (at & 7))) & 1)];
    }),
  );
  const isCentre = (x, y) => Math.min(x, y) >= LOWEST && Math.max(x, y) <= HIGHEST;

  // Networks

  function startWorker() {
    const text = `"use strict";\n${defineLayers}\n${runWorker}\nrunWorker(defineLayers(), self);`;
    return new Worker(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
  }

  function loadScript(address) {
    return new Promise((resolve, reject) => {
      const script = element("script", { src: new URL(address, HERE).href, onload: resolve });
      script.onerror = () => reject(new Error(`${address} cannot be loaded`));
      document.head.append(script);
    });
  }

  // A network in a worker of its own; `ask` takes an image and promises {output, milliseconds}.
  class Network {
    static all = new Map();

    static named(name) {
      if (!Network.all.has(name)) Network.all.set(name, new Network(name));
      return Network.all.get(name);
    }

    constructor(name) {
      this.waiting = new Map();
      this.tickets = 0;
      this.ready = loadScript(`networks/${name}.js`).then(() => this.start(window.minicoord.networks[name]));
    }

    start({ layers, weights }) {
      this.worker = startWorker();
      this.worker.onmessage = ({ data }) => {
        this.waiting.get(data.ticket)(data);
        this.waiting.delete(data.ticket);
      };
      this.worker.postMessage({ load: { layers, bytes: bytesOf(weights) } });
    }

    async ask(input) {
      await this.ready;
      const ticket = this.tickets++;
      return new Promise((resolve) => {
        this.waiting.set(ticket, resolve);
        this.worker.postMessage({ input, ticket });
      });
    }
  }

  const place = (x, y) => ({ height: 1, width: 1, channels: 2, data: Float64Array.of(scaled(x), scaled(y)) });

  function onePixel(x, y) {
    const data = new Float64Array(SIZE * SIZE);
    data[y * SIZE + x] = 1;
    return { height: SIZE, width: SIZE, channels: 1, data };
  }

  // Pictures

  // Draws an image of numbers from 0 (what lies below shows) to 1 (white) over the regions of a split.
  function paintMap(canvas, split, values) {
    const image = new ImageData(SIZE, SIZE);
    for (let at = 0; at < SIZE * SIZE; at += 1) {
      const [x, y] = [at % SIZE, Math.floor(at / SIZE)];
      const below = trained[split][at] ? [22, 62, 104] : isCentre(x, y) ? [0, 0, 0] : [52, 52, 52];
      const light = values ? values[at] : 0;
      for (let c = 0; c < 3; c += 1) image.data[4 * at + c] = below[c] + (255 - below[c]) * light;
      image.data[4 * at + 3] = 255;
    }
    return enlarge(canvas, image);
  }

  function enlarge(canvas, image) {
    const small = element("canvas", { width: image.width, height: image.height });
    small.getContext("2d").putImageData(image, 0, 0);
    const pen = canvas.getContext("2d");
    pen.imageSmoothingEnabled = false;
    pen.drawImage(small, 0, 0, canvas.width, canvas.height);
    return pen;
  }

  // An outline of `side` pixels around a pixel, with a dark edge, so that it shows on white, too.
  function outline(pen, x, y, side, colour = MARKS[0]) {
    const scale = pen.canvas.width / SIZE;
    for (const [width, style] of [[6, "#000"], [3, colour]]) {
      pen.lineWidth = width;
      pen.strokeStyle = style;
      pen.strokeRect((x + 0.5 - side / 2) * scale, (y + 0.5 - side / 2) * scale, side * scale, side * scale);
    }
  }

  // A circle, a triangle or a cross at a point between pixels.
  function mark(pen, x, y, shape, colour) {
    const scale = pen.canvas.width / SIZE;
    const [left, top, r] = [(x + 0.5) * scale, (y + 0.5) * scale, 11];
    pen.beginPath();
    if (shape === 0) pen.arc(left, top, r, 0, 2 * Math.PI);
    if (shape === 1) {
      pen.moveTo(left, top - r);
      pen.lineTo(left + r, top + r);
      pen.lineTo(left - r, top + r);
      pen.closePath();
    }
    if (shape === 2) {
      pen.moveTo(left - r, top - r);
      pen.lineTo(left + r, top + r);
      pen.moveTo(left - r, top + r);
      pen.lineTo(left + r, top - r);
    }
    for (const [width, style] of [[8, "#000"], [4, colour]]) {
      pen.lineWidth = width;
      pen.strokeStyle = style;
      pen.stroke();
    }
  }

  // What the tasks share: a place (x, y), a split, and how people choose them

  class Task {
    // What another task may have otherwise: the least and the greatest x and y, and the words of the two sliders.
    get limits() {
      return [LOWEST, HIGHEST];
    }

    get axes() {
      return { x: "x, the column", y: "y, the row" };
    }

    constructor(root) {
      this.root = root;
      this.state = { split: "quadrant", x: 46, y: 44 };
      this.pad = this.canvas("Your place");
      this.pad.tabIndex = 0;
      this.pad.classList.add("pg-pad");
      this.pad.setAttribute("role", "application");
      this.listen(this.pad);
      this.sliders = ["x", "y"].map((axis) => this.slider(axis));
      this.status = element("p", { className: "pg-status", set: { role: "status" } });
      this.panels = element("div", { className: "pg-panels" });
      root.replaceChildren(this.controls(), this.panels, this.legend(), this.status);
    }

    canvas(label) {
      return element("canvas", { width: 512, height: 512, set: { "aria-label": label, role: "img" } });
    }

    figure(canvas, title, ...below) {
      return element("figure", { className: "pg-panel" }, element("figcaption", {}, title), canvas, ...below);
    }

    slider(axis) {
      const [min, max] = this.limits;
      const input = element("input", { type: "range", min, max, step: 1 });
      input.oninput = () => this.move({ [axis]: Number(input.value) });
      this.shown ??= {};
      this.shown[axis] = element("output");
      this.inputs ??= {};
      this.inputs[axis] = input;
      return element("label", { className: "pg-slider" }, element("span", {}, this.axes[axis]), input, this.shown[axis]);
    }

    controls() {
      const name = `split-${this.root.dataset.task}`;
      const words = { quadrant: "three quarters of the canvas", uniform: "scattered places" };
      const choices = Object.keys(words).map((split) => {
        const input = element("input", { type: "radio", name, value: split, checked: split === this.state.split });
        input.onchange = () => this.choose(split);
        return element("label", {}, input, ` ${words[split]}`);
      });
      const jump = (seen, label) => element("button", { type: "button", onclick: () => this.jump(seen) }, label);
      return element(
        "div",
        { className: "pg-controls" },
        element("fieldset", {}, element("legend", {}, "Trained on"), ...choices),
        element("div", {}, jump(1, "A place from the training"), jump(0, "A place never seen")),
      );
    }

    legend() {
      const names = { trained: "trained here", unseen: "never seen", border: "no square fits" };
      const parts = Object.entries(names).map(([kind, words]) =>
        element("span", {}, element("i", { className: `pg-swatch pg-${kind}` }), ` ${words}`),
      );
      return element("p", { className: "pg-legend" }, ...parts, ...(this.moreLegend?.() ?? []));
    }

    // Lets a pointer drag the place over a canvas, and the arrow keys move it.
    listen(canvas) {
      const follow = (event) => {
        const box = canvas.getBoundingClientRect();
        const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
        this.move({ x: Math.floor(x * SIZE), y: Math.floor(y * SIZE) });
      };
      canvas.onpointerdown = (event) => {
        if (canvas !== this.pad && event.pointerType === "touch") return; // there a finger scrolls the page
        canvas.setPointerCapture(event.pointerId);
        follow(event);
      };
      canvas.onpointermove = (event) => canvas.hasPointerCapture(event.pointerId) && follow(event);
      canvas.onkeydown = (event) => {
        const step = event.shiftKey ? 8 : 1;
        const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
        if (dx === undefined) return;
        event.preventDefault();
        this.move({ x: this.state.x + step * dx, y: this.state.y + step * dy });
      };
    }

    move(change) {
      for (const axis of Object.keys(change)) this.state[axis] = clamp(change[axis], ...this.limits);
      this.update();
    }

    choose(split) {
      this.state.split = split;
      this.open();
    }

    jump(seen) {
      const found = [];
      for (let y = LOWEST; y <= HIGHEST; y += 1) {
        for (let x = LOWEST; x <= HIGHEST; x += 1) if (trained[this.state.split][y * SIZE + x] === seen) found.push({ x, y });
      }
      this.move(found[Math.floor(Math.random() * found.length)]);
    }

    // Takes the networks of this task and split.
    open() {
      this.answers = catalog.networks
        .filter((entry) => entry.experiment === this.root.dataset.task && (entry.split ?? this.state.split) === this.state.split)
        .map((entry, k) => ({ entry, network: Network.named(entry.name), wanted: null, busy: false, k }));
      this.show();
      this.update();
    }

    update() {
      const { x, y, split } = this.state;
      for (const axis of ["x", "y"]) {
        this.inputs[axis].value = this.state[axis];
        this.shown[axis].value = this.state[axis];
      }
      this.pad.setAttribute("aria-label", `Your place: x ${x}, y ${y}. Drag, or use the arrow keys.`);
      this.paintPad(x, y, split);
      for (const answer of this.answers) this.follow(answer, { ...this.state });
      clearTimeout(this.speaking);
      this.speaking = setTimeout(() => this.speak(), 700);
    }

    // Asks one question at a time, always the newest: while a network computes, older places are dropped.
    async follow(answer, wanted) {
      answer.wanted = wanted;
      if (answer.busy) return;
      answer.busy = true;
      while (answer.wanted) {
        const asked = answer.wanted;
        answer.wanted = null;
        try {
          const { output, milliseconds } = await answer.network.ask(this.input(asked));
          if (this.answers.includes(answer)) this.paint(answer, output, asked, milliseconds);
        } catch (error) {
          answer.words.textContent = `This network is missing: ${error.message}.`;
          break;
        }
      }
      answer.busy = false;
    }

    // Tells a screen reader the answers once the dragging has ended.
    speak() {
      const { x, y } = this.state;
      const told = this.answers.map(({ entry, words }) => `${entry.title}: ${words.textContent}`);
      this.status.textContent = `Place x ${x}, y ${y}. ${told.join(". ")}`;
    }

    entryFacts({ parameters, run }) {
      return element("small", { className: "pg-run", title: `the recorded run ${run}` }, `${parameters.toLocaleString("en")} parameters`);
    }
  }

  // Classification and rendering: from a place to a map, one map for each network

  class MapTask extends Task {
    // Whether a place in an answer is the place on the pad, so that one may drag there, too.
    get picturesAreMaps() {
      return true;
    }

    get padTitle() {
      return "Your place: drag here";
    }

    input({ x, y }) {
      return place(x, y);
    }

    show() {
      const figures = this.answers.map((answer) => {
        answer.canvas = this.canvas(answer.entry.title);
        answer.words = element("p", { className: "pg-words" }, "loading ...");
        answer.time = element("small", { className: "pg-time" });
        if (this.picturesAreMaps) this.listen(answer.canvas);
        const title = element("span", {}, answer.entry.title, " ", this.entryFacts(answer.entry));
        return this.figure(answer.canvas, title, answer.words, answer.time);
      });
      this.panels.replaceChildren(this.figure(this.pad, this.padTitle, ...this.sliders), ...figures);
    }

    paintPad(x, y, split) {
      outline(paintMap(this.pad, split, null), x, y, this.side);
    }

    paint(answer, output, asked, milliseconds) {
      const words = this.draw(answer.canvas, output, asked);
      answer.words.textContent = words;
      answer.canvas.setAttribute("aria-label", `${answer.entry.title}: ${words}`);
      answer.time.textContent = `computed in ${milliseconds.toFixed(0)} ms`;
      answer.canvas.dataset.pictures = Number(answer.canvas.dataset.pictures ?? 0) + 1;
    }

    // Draws the answer of a network; returns it in words.
    draw(canvas, output, asked) {
      const { values, words } = this.read(output, asked);
      outline(paintMap(canvas, asked.split, values), asked.x, asked.y, this.side);
      return words;
    }
  }

  class Classification extends MapTask {
    side = 3;

    moreLegend() {
      return ["The brighter a pixel, the more probable (the square root of its share of the largest)."];
    }

    read(output, { x, y }) {
      const probabilities = softmax(output);
      const best = probabilities.reduce((top, p, at) => (p > probabilities[top] ? at : top), 0);
      const [column, row] = [best % SIZE, Math.floor(best / SIZE)];
      const words =
        `points at (${column}, ${row}), ${pixels(Math.hypot(column - x, row - y))}; ` +
        `gives your pixel ${percent(probabilities[y * SIZE + x])}`;
      return { values: probabilities.map((p) => Math.sqrt(p / probabilities[best])), words };
    }
  }

  class Rendering extends MapTask {
    side = 9;

    moreLegend() {
      return ["White: drawn with certainty. Orange: the square that is wanted."];
    }

    read(output, { x, y }) {
      const values = sigmoid(output);
      let [both, either] = [0, 0];
      values.forEach((p, at) => {
        const wanted = Math.max(Math.abs((at % SIZE) - x), Math.abs(Math.floor(at / SIZE) - y)) <= 4;
        both += wanted && p > 0.5;
        either += wanted || p > 0.5;
      });
      return { values, words: `overlap with the square (IOU): ${(both / either).toFixed(2)}` };
    }
  }

  // The GAN: from a random vector z to an image, one for each generator

  // Numbers from 0 to 1 that follow from a seed (mulberry32): so the first vectors are the same for everybody.
  function randomNumbers(seed) {
    let state = seed * 0x9e3779b9;
    return () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  const randomVector = (random, length) => Float64Array.from({ length }, () => 2 * random() - 1);

  // Folds the line into [-1, 1]: a number that passes an end turns back. Evenly spread numbers stay evenly spread.
  const folded = (value) => 1 - Math.abs(((((value + 1) % 4) + 4) % 4) - 2);

  // The vector at a place of a plane: its start, and a step of up to 1 either way along each of two random directions.
  function vectorAt(seed, length, a, b) {
    const random = randomNumbers(seed);
    const [start, right, down] = [0, 1, 2].map(() => randomVector(random, length));
    return start.map((value, k) => folded(value + a * right[k] + b * down[k]));
  }

  // Where the object of a colour is in an image with numbers from -1 to 1: the median column and row of its pixels, or
  // null, if there are too few of them or they do not form one patch. As in minicoord.experiments.two_objects.finder.
  function findObject(image, side, [colour, ...others]) {
    const [columns, rows] = [[], []];
    for (let at = 0; at < side * side; at += 1) {
      const [value, ...rest] = [colour, ...others].map((c) => image[3 * at + c]);
      if ((value - Math.max(...rest)) / 2 <= 0.3) continue;
      columns.push(at % side);
      rows.push(Math.floor(at / side));
    }
    if (columns.length < 0.1 * Math.PI * (10 / 64) ** 2 * side * side) return null;
    const quantile = (numbers, q) => {
      const rank = q * numbers.length;
      return (numbers[Math.ceil(rank) - 1] + numbers[Math.min(Math.floor(rank), numbers.length - 1)]) / 2;
    };
    columns.sort((a, b) => a - b);
    if ([columns, rows].some((numbers) => quantile(numbers, 0.75) - quantile(numbers, 0.25) > side / 4)) return null;
    return [quantile(columns, 0.5), quantile(rows, 0.5)];
  }

  class Generators extends MapTask {
    constructor(root) {
      super(root);
      this.state = { x: 32, y: 32, seed: 1 };
    }

    get limits() {
      return [0, SIZE - 1];
    }

    get axes() {
      return { x: "left, right", y: "up, down" };
    }

    get picturesAreMaps() {
      return false;
    }

    get padTitle() {
      return "A plane of vectors: drag here";
    }

    controls() {
      const next = () => {
        Object.assign(this.state, { x: 32, y: 32, seed: this.state.seed + 1 });
        this.update();
      };
      this.seedShown = element("output");
      const button = element("button", { type: "button", onclick: next }, "New z");
      return element("div", { className: "pg-controls pg-middle" }, button, element("span", {}, "plane ", this.seedShown));
    }

    legend() {
      const words =
        "The middle of the plane is a random vector. Left and right, up and down change all of its numbers, along two " +
        "random directions; a number that reaches -1 or 1 turns back. So every place is a vector as in training.";
      return element("p", { className: "pg-legend" }, words);
    }

    open() {
      super.open();
      if (this.answers.length) return;
      this.root.replaceChildren(element("p", {}, "No weights of generators are recorded in this copy."));
    }

    update() {
      super.update();
      const { x, y, seed } = this.state;
      this.seedShown.value = seed;
      this.pad.setAttribute("aria-label", `Plane ${seed} of vectors: x ${x}, y ${y}. Drag, or use the arrow keys.`);
    }

    input({ x, y, seed }) {
      const channels = this.answers[0].entry.z;
      return { height: 1, width: 1, channels, data: vectorAt(seed, channels, scaled(x), scaled(y)) };
    }

    paintPad(x, y) {
      const pen = this.pad.getContext("2d");
      const scale = this.pad.width / SIZE;
      pen.fillStyle = "#000";
      pen.fillRect(0, 0, this.pad.width, this.pad.height);
      pen.fillStyle = "#999";
      for (let k = 0; k < SIZE; k += 8) {
        for (let l = 0; l < SIZE; l += 8) pen.fillRect((k + 4) * scale, (l + 4) * scale, scale / 2, scale / 2);
      }
      mark(pen, x, y, 0, MARKS[0]);
    }

    draw(canvas, output) {
      const side = Math.sqrt(output.length / 3);
      const image = new ImageData(side, side);
      for (let at = 0; at < side * side; at += 1) {
        for (let c = 0; c < 3; c += 1) image.data[4 * at + c] = 127.5 * (output[3 * at + c] + 1); // clamped to a byte
        image.data[4 * at + 3] = 255;
      }
      enlarge(canvas, image);
      const where = (channels) => {
        const found = findObject(output, side, channels);
        return found ? `at (${found.join(", ")})` : "not found";
      };
      return `red object ${where([0, 1, 2])}, blue object ${where([2, 0, 1])}`;
    }
  }

  // Regression: from a lit pixel to a place, the answers of all networks on one canvas

  class Regression extends Task {
    input({ x, y }) {
      return onePixel(x, y);
    }

    show() {
      const rows = this.answers.map((answer) => {
        const sign = element("canvas", { width: 32, height: 32, className: "pg-sign", set: { "aria-hidden": "true" } });
        const pen = sign.getContext("2d");
        pen.setTransform(1, 0, 0, 1, 16 - 0.25, 16 - 0.25); // `mark` draws around the middle of pixel (0, 0)
        mark(pen, 0, 0, answer.k, MARKS[answer.k]);
        answer.words = element("span", { className: "pg-words" }, "loading ...");
        return element("li", {}, sign, element("b", {}, answer.entry.title), " ", this.entryFacts(answer.entry), element("br"), answer.words);
      });
      this.panels.replaceChildren(
        this.figure(this.pad, "The lit pixel: drag it", ...this.sliders),
        element("ul", { className: "pg-answers" }, ...rows),
      );
    }

    paintPad(x, y, split) {
      const values = new Float32Array(SIZE * SIZE);
      values[y * SIZE + x] = 1;
      const pen = paintMap(this.pad, split, values);
      outline(pen, x, y, 3, "#fff");
      for (const { told, k } of this.answers) if (told) mark(pen, told[0], told[1], k, MARKS[k]);
    }

    paint(answer, output, asked) {
      answer.told = [output[0] * SIZE, output[1] * SIZE];
      const [x, y] = answer.told;
      const words = `(${x.toFixed(1)}, ${y.toFixed(1)}), ${pixels(Math.hypot(x - asked.x, y - asked.y))}`;
      answer.words.textContent = words;
      this.paintPad(this.state.x, this.state.y, this.state.split);
      this.pad.dataset.pictures = Number(this.pad.dataset.pictures ?? 0) + 1;
    }
  }

  // Equivariance: one CoordConv layer of one channel, an image, and the same image moved

  const [ROWS, COLUMNS] = [24, 32];

  class Equivariance {
    constructor(root) {
      this.state = { i: 0.5, j: 0, down: 5, right: 6 };
      const slider = (name, words, min, max, step) => {
        const shown = element("output", { value: this.state[name] });
        const input = element("input", { type: "range", min, max, step, value: this.state[name], name });
        input.oninput = () => {
          this.state[name] = Number(input.value);
          shown.value = input.value;
          this.update();
        };
        return element("label", { className: "pg-slider" }, element("span", {}, words), input, shown);
      };
      const titles = ["The image", "Its output, then moved", "The image moved, then its output", "Difference of the two"];
      this.canvases = titles.map((title) =>
        element("canvas", { width: 8 * COLUMNS, height: 8 * ROWS, set: { role: "img", "aria-label": title } }),
      );
      this.words = element("p", { className: "pg-words", set: { role: "status" } });
      root.replaceChildren(
        element(
          "div",
          { className: "pg-controls pg-four" },
          slider("i", "weight of i", -1, 1, 0.1),
          slider("j", "weight of j", -1, 1, 0.1),
          slider("down", "move down", 0, 8, 1),
          slider("right", "move right", 0, 10, 1),
        ),
        element(
          "div",
          { className: "pg-panels pg-quartet" },
          ...this.canvases.map((canvas, k) => element("figure", { className: "pg-panel" }, element("figcaption", {}, titles[k]), canvas)),
        ),
        this.words,
      );
    }

    open() {
      this.update();
    }

    static image() {
      const data = new Float64Array(ROWS * COLUMNS);
      const fill = (top, left, side, value) => {
        for (let row = top; row < top + side; row += 1) data.fill(value, row * COLUMNS + left, row * COLUMNS + left + side);
      };
      fill(4, 5, 6, 1);
      fill(9, 14, 4, 0.6);
      return data;
    }

    static moved(data, down, right) {
      const y = new Float64Array(data.length);
      for (let at = 0; at < data.length; at += 1) {
        const [row, column] = [Math.floor(at / COLUMNS), at % COLUMNS];
        y[((row + down) % ROWS) * COLUMNS + ((column + right) % COLUMNS)] = data[at];
      }
      return y;
    }

    // The output of the layer: a 3 x 3 kernel on the image, and a weight for each coordinate at its middle.
    static output(data, i, j) {
      const w = [0, 0.2, 0, 0.2, 0.4, 0.2, 0, 0.2, 0].flatMap((v, at) => (at === 4 ? [v, i, j] : [v, 0, 0]));
      const layer = convolution({ kernel: [3, 3], stride: [1, 1], relu: true, coordinates: true }, { w, b: [0] });
      return layer({ height: ROWS, width: COLUMNS, channels: 1, data }).data;
    }

    update() {
      const { i, j, down, right } = this.state;
      const image = Equivariance.image();
      const after = Equivariance.moved(Equivariance.output(image, i, j), down, right);
      const before = Equivariance.output(Equivariance.moved(image, down, right), i, j);
      let largest = 0;
      // Rows and columns that re-entered on the other side, and the border, where padding plays a part, do not count.
      const difference = before.map((value, at) => {
        const [row, column] = [Math.floor(at / COLUMNS), at % COLUMNS];
        const counts = row > down && column > right && row < ROWS - 1 && column < COLUMNS - 1;
        const off = counts ? value - after[at] : 0;
        largest = Math.max(largest, Math.abs(off));
        return off;
      });
      const brightest = Math.max(...after, ...before, 1e-6);
      this.paint(0, image, 1);
      this.paint(1, after, brightest);
      this.paint(2, before, brightest);
      this.paintDifference(3, difference);
      this.words.textContent =
        largest < 1e-6
          ? "No difference: with these weights the layer is translation equivariant."
          : `The largest difference is ${largest.toFixed(2)}: the output depends on where the square lies.`;
    }

    paint(k, data, top) {
      const image = new ImageData(COLUMNS, ROWS);
      data.forEach((value, at) => image.data.set([255, 255, 255].map((white) => (white * value) / top).concat(255), 4 * at));
      enlarge(this.canvases[k], image);
    }

    // White where both agree, orange where the moved image gives more, purple where it gives less.
    paintDifference(k, data) {
      const image = new ImageData(COLUMNS, ROWS);
      data.forEach((value, at) => {
        const [share, colour] = [Math.min(Math.abs(value) / 0.5, 1), value > 0 ? [179, 88, 6] : [84, 39, 136]];
        image.data.set(colour.map((c) => 247 + (c - 247) * share).concat(255), 4 * at);
      });
      enlarge(this.canvases[k], image);
    }
  }

  // A task is built when the page is, and asks for its networks when it comes near the screen.
  const KINDS = { classification: Classification, regression: Regression, rendering: Rendering, gan: Generators, equivariance: Equivariance };
  const near = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) {
          near.unobserve(target);
          target.task.open();
        }
      }
    },
    { rootMargin: "200px" },
  );
  for (const root of document.querySelectorAll("[data-task]")) {
    root.task = new KINDS[root.dataset.task](root);
    near.observe(root);
  }

  // What a test asks: the plain output of a network, as an array.
  window.minicoord.ask = async (name, x, y, lit) => {
    const { output } = await Network.named(name).ask(lit ? onePixel(x, y) : place(x, y));
    return Array.from(output);
  };
  // And the image of a generator, with where its objects are; and the vector at a place of a plane.
  window.minicoord.generate = async (name, z) => {
    const { output } = await Network.named(name).ask({ height: 1, width: 1, channels: z.length, data: Float64Array.from(z) });
    const side = Math.sqrt(output.length / 3);
    return { image: Array.from(output), centres: [[2, 0, 1], [0, 1, 2]].map((channels) => findObject(output, side, channels)) };
  };
  window.minicoord.vectorAt = (...place) => Array.from(vectorAt(...place));
})();
