import { writeFile } from 'node:fs/promises';
import { launch } from 'puppeteer-core';
import { expect, it, vi } from 'vitest';
import { browserPath } from '../support/parts.js';
import { describeInBrowser } from '../report/support/browser.js';
import { useFolder } from '../support/folder.js';
import { writeMicro } from '../support/micro.js';
import { perform, timing } from '../support/tasks.js';
import { openTestBrowser } from './support/browsers.js';

vi.setConfig({ testTimeout: 180_000 });

const folder = useFolder();

describeInBrowser('a browser that already runs', () => {
  it('is used in pages that are closed again, and goes on running', async () => {
    const { model } = await writeMicro(folder());
    const inputs = folder('inputs.bin');
    await writeFile(inputs, new Uint8Array(3 * 32 * 32 * 4).fill(60));
    const running = await launch({
      ...(browserPath === undefined ? {} : { executablePath: browserPath }),
      args: ['--no-sandbox', '--disable-background-networking', '--remote-debugging-port=0'],
    });
    try {
      const before = (await running.pages()).length;
      const device = await openTestBrowser('wasm', { connect: running.wsEndpoint(), threads: 2 });
      expect(device.host).toContain('browser at ws://');
      const task = timing(model, inputs, 1, {
        ...{ minQueries: 2, minSeconds: 0.01, maxSeconds: 60, maxWarmupSeconds: 0.01 },
      });
      const { measurement } = await perform(device, task);
      expect(measurement.latencies.length).toBeGreaterThanOrEqual(2);
      expect(measurement.logits).toHaveLength(1);
      // Its machine is not ours to describe.
      expect(device.environment.cpu.model).toBe('not told by the browser');
      expect(running.browserContexts()).toHaveLength(1);
      expect(await running.pages()).toHaveLength(before);
      await device.close();
      expect(running.connected).toBe(true);
    } finally {
      await running.close();
    }
  });
});
