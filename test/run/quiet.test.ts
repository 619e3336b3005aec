import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { waitForQuiet } from '../../src/run/quiet.js';

it('waiting for a quiet machine ends with its time beside a busy process, and at once with its signal', async () => {
  const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  try {
    const before = performance.now();
    await waitForQuiet(2.5, new AbortController().signal);
    // A busy process takes more of a core than a quiet machine may, in each of the seconds that are looked at.
    expect(performance.now() - before).toBeGreaterThan(2000);
    const controller = new AbortController();
    const reason = new Error('enough');
    const waiting = waitForQuiet(600, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  } finally {
    busy.kill('SIGKILL');
  }
});
