// What runs in a worker: one network, which answers one input after the other.
//
// The page sends {load: {layers, bytes}} once, then {input, ticket}; the answer is {output, ticket, milliseconds}.

"use strict";

function runWorker(layers, scope) {
  let forward = null;
  scope.onmessage = ({ data: { load, input, ticket } }) => {
    if (load) {
      forward = layers.network(load.layers, load.bytes);
      return;
    }
    const began = performance.now();
    const { data } = forward(input);
    const output = Float32Array.from(data); // a copy: the network writes its next answer into `data`
    scope.postMessage({ output, ticket, milliseconds: performance.now() - began }, [output.buffer]);
  };
}
