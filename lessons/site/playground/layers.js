// The layers of the playground: what minicoord computes, forward only, in plain JavaScript.
//
// An image is {height, width, channels, data} with data[(row * width + column) * channels + channel]: channels last, as
// in minicoord. A vector is an image of one pixel. A layer is a function from image to image that reuses its output.
//
// Everything stands inside one function, because a page that was opened from a file may start a worker from text only:
// page.js hands this function to the worker as text (see README.md).

"use strict";

function defineLayers() {
  const OUTPUTS_AT_ONCE = 4;
  const ROWS_AT_ONCE = 64; // 64 rows of 64 numbers are 32 KB, which stay in the cache while all panels pass over them

  // Returns a function that hands out one array of a length again and again; a layer's output is read before its next.
  function room() {
    let array = new Float64Array(0);
    return (length) => (array.length === length ? array : (array = new Float64Array(length)));
  }

  // Returns w (depth, outputs) as panels of four outputs, the last one filled up with zeros: within a panel the numbers
  // lie in the order in which `product` reads them.
  function panelsOf(w, depth, outputs) {
    const count = Math.ceil(outputs / OUTPUTS_AT_ONCE);
    const panels = new Float64Array(count * depth * OUTPUTS_AT_ONCE);
    for (let n = 0; n < outputs; n += 1) {
      const start = (n - (n % OUTPUTS_AT_ONCE)) * depth + (n % OUTPUTS_AT_ONCE);
      for (let k = 0; k < depth; k += 1) {
        panels[start + k * OUTPUTS_AT_ONCE] = w[k * outputs + n];
      }
    }
    return { panels, depth, outputs };
  }

  // y[r, n] = b[n] + sum over k of x[r, k] w[k, n], for x (rows, depth). Two rows times four outputs are summed in eight
  // local variables, which the browser's compiler keeps in registers.
  function product(x, rows, { panels, depth, outputs }, b, relu, y, start = 0) {
    for (let first = 0; first < rows; first += ROWS_AT_ONCE) {
      const end = Math.min(first + ROWS_AT_ONCE, rows);
      for (let n = 0; n < outputs; n += OUTPUTS_AT_ONCE) {
        const b0 = b[n];
        const b1 = n + 1 < outputs ? b[n + 1] : 0;
        const b2 = n + 2 < outputs ? b[n + 2] : 0;
        const b3 = n + 3 < outputs ? b[n + 3] : 0;
        for (let r = first; r < end; r += 2) {
          const s = Math.min(r + 1, end - 1); // of an odd number of rows the last is computed twice
          let p0 = b0, p1 = b1, p2 = b2, p3 = b3;
          let q0 = b0, q1 = b1, q2 = b2, q3 = b3;
          let i = r * depth;
          let j = s * depth;
          const stop = (n + OUTPUTS_AT_ONCE) * depth;
          for (let k = n * depth; k < stop; k += OUTPUTS_AT_ONCE) {
            const w0 = panels[k], w1 = panels[k + 1], w2 = panels[k + 2], w3 = panels[k + 3];
            const u = x[i];
            const v = x[j];
            p0 += u * w0;
            p1 += u * w1;
            p2 += u * w2;
            p3 += u * w3;
            q0 += v * w0;
            q1 += v * w1;
            q2 += v * w2;
            q3 += v * w3;
            i += 1;
            j += 1;
          }
          store(y, start + r * outputs + n, outputs - n, relu, p0, p1, p2, p3);
          store(y, start + s * outputs + n, outputs - n, relu, q0, q1, q2, q3);
        }
      }
    }
  }

  function store(y, at, count, relu, v0, v1, v2, v3) {
    y[at] = relu && v0 < 0 ? 0 : v0;
    if (count > 1) y[at + 1] = relu && v1 < 0 ? 0 : v1;
    if (count > 2) y[at + 2] = relu && v2 < 0 ? 0 : v2;
    if (count > 3) y[at + 3] = relu && v3 < 0 ? 0 : v3;
  }

  // The padding before an axis and the number of places of a window, by TensorFlow's rule "same": an odd pixel goes after.
  function places(size, kernel, stride) {
    const count = Math.ceil(size / stride);
    return { count, before: Math.floor(Math.max((count - 1) * stride + kernel - size, 0) / 2) };
  }

  // The coordinate of pixel k on an axis of n pixels: from -1 to 1, and 0 where there is one pixel.
  function coordinate(k, n) {
    return n === 1 ? 0 : -1 + (2 * k) / (n - 1);
  }

  // The paper's layer: an image with its coordinates as two more channels, first i (rows), then j (columns).
  function addCoords() {
    const output = room();
    return ({ height, width, channels, data }) => {
      const y = output(height * width * (channels + 2));
      for (let row = 0, from = 0, to = 0; row < height; row += 1) {
        for (let column = 0; column < width; column += 1) {
          for (let c = 0; c < channels; c += 1) y[to++] = data[from++];
          y[to++] = coordinate(row, height);
          y[to++] = coordinate(column, width);
        }
      }
      return { height, width, channels: channels + 2, data: y };
    };
  }

  // CoordConv of a vector that is repeated at every pixel: its product once, then for each pixel that of the coordinates.
  function tiledCoordConv({ height, width, relu }, { w, b }) {
    const depth = w.length / b.length - 2; // w is (c_in + 2, c_out), coordinates last
    const ofVector = panelsOf(w.subarray(0, depth * b.length), depth, b.length);
    const ofCoordinates = panelsOf(w.subarray(depth * b.length), 2, b.length);
    const coordinates = addCoords()({ height, width, channels: 0, data: [] }).data;
    const [common, output] = [room(), room()];
    return ({ data }) => {
      const everywhere = common(b.length);
      product(data, 1, ofVector, b, false, everywhere);
      const y = output(height * width * b.length);
      product(coordinates, height * width, ofCoordinates, everywhere, relu, y);
      return { height, width, channels: b.length, data: y };
    };
  }

  // Convolution with padding "same": one row of outputs at a time, whose windows are gathered (im2col) and multiplied.
  function convolution({ kernel: [kh, kw], stride: [sy, sx], relu, coordinates }, { w, b }) {
    const matrix = panelsOf(w, w.length / b.length, b.length); // w is (kh, kw, c_in, c_out)
    const [output, patches, withCoords] = [room(), room(), coordinates ? addCoords() : (x) => x];
    return (image) => {
      const { height, width, channels, data } = withCoords(image);
      const [down, across] = [places(height, kh, sy), places(width, kw, sx)];
      const y = output(down.count * across.count * b.length);
      if (kh * kw * sy * sx === 1) {
        product(data, height * width, matrix, b, relu, y);
      } else {
        const rows = patches(across.count * kh * kw * channels);
        for (let i = 0; i < down.count; i += 1) {
          gather(data, height, width, channels, i * sy - down.before, across, kh, kw, sx, rows);
          product(rows, across.count, matrix, b, relu, y, i * across.count * b.length);
        }
      }
      return { height: down.count, width: across.count, channels: b.length, data: y };
    };
  }

  // Writes the windows of one row of outputs below each other: (places, kh * kw * channels), zeros for padding.
  function gather(data, height, width, channels, top, across, kh, kw, sx, rows) {
    let to = 0;
    for (let j = 0; j < across.count; j += 1) {
      for (let row = top; row < top + kh; row += 1) {
        const left = j * sx - across.before;
        for (let column = left; column < left + kw; column += 1) {
          const inside = row >= 0 && row < height && column >= 0 && column < width;
          const from = (row * width + column) * channels;
          for (let c = 0; c < channels; c += 1) rows[to++] = inside ? data[from + c] : 0;
        }
      }
    }
  }

  // Transposed convolution with padding "same": each pixel times the kernel, added up where the copies overlap (col2im).
  function transposed({ kernel: [kh, kw], stride: [sy, sx], relu }, { w, b }) {
    const [cOut, cIn] = [b.length, w.length / (kh * kw * b.length)];
    const turned = new Float64Array(w.length); // (kh, kw, c_out, c_in) as (c_in, kh * kw * c_out)
    for (let n = 0; n < kh * kw * cOut; n += 1) {
      for (let k = 0; k < cIn; k += 1) turned[k * kh * kw * cOut + n] = w[n * cIn + k];
    }
    const matrix = panelsOf(turned, cIn, kh * kw * cOut);
    const nothing = new Float64Array(kh * kw * cOut);
    const [output, copies] = [room(), room()];
    return ({ height, width, data }) => {
      const [outH, outW] = [height * sy, width * sx];
      const top = Math.floor(Math.max(kh - sy, 0) / 2);
      const left = Math.floor(Math.max(kw - sx, 0) / 2);
      const columns = copies(height * width * kh * kw * cOut);
      product(data, height * width, matrix, nothing, false, columns);
      const y = output(outH * outW * cOut);
      for (let at = 0; at < y.length; at += 1) y[at] = b[at % cOut];
      for (let place = 0, from = 0; place < height * width; place += 1) {
        const [i, j] = [Math.floor(place / width), place % width];
        for (let row = i * sy - top; row < i * sy - top + kh; row += 1) {
          for (let column = j * sx - left; column < j * sx - left + kw; column += 1, from += cOut) {
            if (row < 0 || row >= outH || column < 0 || column >= outW) continue;
            const to = (row * outW + column) * cOut;
            for (let c = 0; c < cOut; c += 1) y[to + c] += columns[from + c];
          }
        }
      }
      if (relu) rectify(y);
      return { height: outH, width: outW, channels: cOut, data: y };
    };
  }

  function rectify(y) {
    for (let at = 0; at < y.length; at += 1) if (y[at] < 0) y[at] = 0;
  }

  // A layer that changes the numbers in place, one by one or all together; its input is the output of a layer before.
  function inPlace(change) {
    return (image) => {
      change(image.data, image.channels);
      return image;
    };
  }

  // Batch normalisation with its running statistics: scale is gamma / sqrt(variance + eps).
  function normalise({ relu }, { mean, scale, shift }) {
    return inPlace((data, channels) => {
      for (let at = 0; at < data.length; at += 1) {
        const c = at % channels;
        data[at] = (data[at] - mean[c]) * scale[c] + shift[c];
      }
      if (relu) rectify(data);
    });
  }

  function softmax(data) {
    let largest = -Infinity;
    let sum = 0;
    for (let at = 0; at < data.length; at += 1) largest = Math.max(largest, data[at]);
    for (let at = 0; at < data.length; at += 1) sum += data[at] = Math.exp(data[at] - largest);
    for (let at = 0; at < data.length; at += 1) data[at] /= sum;
    return data;
  }

  function sigmoid(data) {
    for (let at = 0; at < data.length; at += 1) data[at] = 1 / (1 + Math.exp(-data[at]));
    return data;
  }

  function tanh(data) {
    for (let at = 0; at < data.length; at += 1) data[at] = Math.tanh(data[at]);
    return data;
  }

  // Repeats a vector at every pixel.
  function tile({ height, width }) {
    const output = room();
    return ({ channels, data }) => {
      const y = output(height * width * channels);
      for (let at = 0; at < y.length; at += 1) y[at] = data[at % channels];
      return { height, width, channels, data: y };
    };
  }

  // The largest number of each channel in windows that lie side by side.
  function maxPool({ kernel: [kh, kw] }) {
    const output = room();
    return ({ height, width, channels, data }) => {
      const [outH, outW] = [Math.floor(height / kh), Math.floor(width / kw)];
      const y = output(outH * outW * channels).fill(-Infinity);
      for (let row = 0; row < outH * kh; row += 1) {
        for (let column = 0; column < outW * kw; column += 1) {
          const to = (Math.floor(row / kh) * outW + Math.floor(column / kw)) * channels;
          const from = (row * width + column) * channels;
          for (let c = 0; c < channels; c += 1) y[to + c] = Math.max(y[to + c], data[from + c]);
        }
      }
      return { height: outH, width: outW, channels, data: y };
    };
  }

  function globalMaxPool() {
    return ({ height, width, channels, data }) =>
      maxPool({ kernel: [height, width] })({ height, width, channels, data });
  }

  function globalAvgPool() {
    return ({ height, width, channels, data }) => {
      const y = new Float64Array(channels);
      for (let at = 0; at < data.length; at += 1) y[at % channels] += data[at] / (height * width);
      return { height: 1, width: 1, channels, data: y };
    };
  }

  function reshape({ shape: [height, width, channels] }) {
    return ({ data }) => ({ height, width, channels, data });
  }

  function flatten() {
    return ({ data }) => ({ height: 1, width: 1, channels: data.length, data });
  }

  function dense(_, { w, b }) {
    const [matrix, output] = [panelsOf(w, w.length / b.length, b.length), room()];
    return ({ data }) => {
      const y = output(b.length);
      product(data, 1, matrix, b, false, y);
      return { height: 1, width: 1, channels: b.length, data: y };
    };
  }

  const KINDS = {
    Conv2D: convolution,
    CoordConv2D: (layer, arrays) => convolution({ ...layer, coordinates: true }, arrays),
    TiledCoordConv2D: tiledCoordConv,
    ConvTranspose2D: transposed,
    BatchNorm2D: normalise,
    Tile: tile,
    Reshape: reshape,
    Flatten: flatten,
    Dense: dense,
    MaxPool2D: maxPool,
    GlobalMaxPool: globalMaxPool,
    GlobalAvgPool: globalAvgPool,
    ReLU: () => inPlace(rectify),
    Softmax: () => inPlace(softmax),
    Tanh: () => inPlace(tanh),
  };

  // A half-precision number (sign, 5 bits of exponent, 10 of fraction) from its 16 bits.
  function fromHalf(bits) {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction);
  }

  // The numbers of one array in the bytes of a network: {type, start, length}, little endian.
  function numbers(bytes, { type, start, length }) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + start);
    const read = type === "float16" ? (k) => fromHalf(view.getUint16(2 * k, true)) : (k) => view.getFloat32(4 * k, true);
    return Float64Array.from({ length }, (_, k) => read(k));
  }

  // Returns a network as one function from image to image: layers as the export wrote them, and the bytes of their arrays.
  function network(layers, bytes) {
    const built = layers.map((layer) => {
      const arrays = Object.entries(layer.arrays ?? {}).map(([name, place]) => [name, numbers(bytes, place)]);
      return KINDS[layer.kind](layer, Object.fromEntries(arrays));
    });
    return (image) => built.reduce((value, layer) => layer(value), image);
  }

  return { network, convolution, softmax, sigmoid };
}
