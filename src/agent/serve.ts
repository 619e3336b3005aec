import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { messageOf } from '../base/errors.js';
import { encodeLine } from '../protocol/lines.js';
import { taskSchema } from '../protocol/task.js';
import { UnsupportedModel } from '../runtime/engine.js';
import { runTask } from './agent.js';
import type { Host } from './host.js';

/**
 * The agent as a process: reads one task from standard input, writes events to standard output, ends with its task, or as
 * soon as standard input closes, which it does when the harness is gone.
 *
 * With `--lease=30` it ends, too, when no line (an empty one will do) has come for 30 s: where a link is between harness and
 * agent, standard input stays open for hours after the link is gone.
 *
 * @param host - the device
 */
export function serve(host: Host): void {
  const lease = Number(process.argv.find((word) => word.startsWith('--lease='))?.slice('--lease='.length));
  const lines = createInterface({ input: process.stdin });
  lines.once('line', (line) => {
    lines.once('close', () => process.exit(1));
    if (lease > 0) {
      // A run of the model keeps this thread busy, for a minute on a slow device; the lease may be over then though there
      // were signs of life. They are read between a timer and an immediate, and only when there were none it counts.
      let heard = false;
      const expiry = setTimeout(() => {
        heard = false;
        setImmediate(() => {
          if (!heard) process.exit(1);
        });
      }, lease * 1000);
      lines.on('line', () => {
        heard = true;
        expiry.refresh();
      });
    }
    const emit = (event: object): void => {
      writeFileSync(1, encodeLine(event));
    };
    Promise.resolve()
      .then(() => runTask(host, taskSchema.parse(JSON.parse(line)), emit))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          const unsupported = error instanceof UnsupportedModel;
          emit({ event: 'failed', reason: messageOf(error), ...(unsupported && { unsupported }) });
          process.exit(1);
        },
      );
  });
}
