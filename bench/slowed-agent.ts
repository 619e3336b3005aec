import type { Host } from '../src/agent/host.js';
import { nodeHost } from '../src/agent/node-host.js';
import { serve } from '../src/agent/serve.js';
import type { Engine, Session } from '../src/runtime/engine.js';
import { SLOW_DOWN } from './slow-share.js';

/** An agent like any other, but that each run of the model takes a share longer than it did, spent waiting busily. */
const host: Host = {
  ...nodeHost,
  loadEngine: async () => {
    const engine = await nodeHost.loadEngine();
    const slowed: Engine = {
      ...engine,
      info: engine.info,
      open: async (model, options) => slower(await engine.open(model, options)),
    };
    return slowed;
  },
};

function slower(session: Session): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    inputType: session.inputType,
    close: () => session.close(),
    run: async (inputs, wanted) => {
      const begin = performance.now();
      const outputs = await session.run(inputs, wanted);
      const until = begin + (performance.now() - begin) * (1 + SLOW_DOWN);
      while (performance.now() < until);
      return outputs;
    },
  };
}

serve(host);
