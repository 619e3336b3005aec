import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceError } from '../../src/base/errors.js';
import { listRuns } from '../../src/store/read.js';
import { refusalOf } from '../support/refusal.js';
import { data, useRuns } from './support.js';

const runs = useRuns();

/** A model that would have to be fetched. */
const models = [{ kind: 'hub', name: 'there', repository: 'someone/there', revision: 'main' } as const];

/** What a Hub was asked for; there is nothing on it. */
let asked: (string | undefined)[];

beforeEach(async () => {
  asked = [];
  const hub = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"Repository not found"}');
  });
  await new Promise<void>((resolve) => hub.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void hub.close());
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(hub.address() as AddressInfo).port}`);
});

async function profiles(...texts: string[]): Promise<string[]> {
  const paths = texts.map((_, index) => runs.folder(`device-${index}.yaml`));
  for (const [index, path] of paths.entries()) await writeFile(path, texts[index]!);
  return paths;
}

describe('before a model is fetched', () => {
  it('(it would be, on a device that is there)', async () => {
    await expect(runs.execute(runs.suite({ models }))).rejects.toThrow('someone/there');
    expect(asked).not.toEqual([]);
  });

  it('a board that cannot be reached is told of', async () => {
    await writeFile(runs.folder('ssh-config'), 'Host nowhere\nHostName 127.0.0.1\nPort 1\n');
    const board = 'name: board\nkind: ssh\nhost: nowhere\nconfig: ssh-config\nrestart: 0\n';
    const running = runs.execute(runs.suite({ models, devices: await profiles(board) }));
    await expect(running).rejects.toThrow(DeviceError);
    await expect(running).rejects.toThrow('board');
    expect(asked).toEqual([]);
  });

  it('a browser that is missing is told of', async () => {
    const browser = 'name: page\nkind: browser\nprovider: wasm\nexecutable: /none/chromium\n';
    const running = runs.execute(runs.suite({ models, devices: await profiles(browser) }));
    await expect(running).rejects.toThrow('/none/chromium');
    expect(asked).toEqual([]);
  });

  it('two pages on one port are refused', async () => {
    const page = (name: string): string =>
      `name: ${name}\nkind: browser\nprovider: wasm\nconnect: http://127.0.0.1:9\nport: 8123\n`;
    const devices = await profiles(page('phone-gpu'), page('phone-cpu'));
    const fault = await refusalOf(() => runs.execute(runs.suite({ models, devices })));
    expect(fault).toMatchObject({ source: devices[1], place: 'port' });
    expect(fault.found).toContain('8123');
    expect(fault.found).toContain('phone-gpu');
    expect(asked).toEqual([]);
  });

  it('more images than there are to be scored are refused', async () => {
    const images = data.test.count + 1;
    const fault = await refusalOf(() =>
      runs.execute(runs.suite({ models, accuracy: { batch: 16, images } })),
    );
    expect(fault).toMatchObject({ place: 'accuracy.images' });
    expect(fault.found).toContain(String(images));
    expect(fault.expected).toContain(String(data.test.count));
    expect(asked).toEqual([]);
    expect(await listRuns(runs.db())).toEqual([]);
  });

  it('all images may be scored', async () => {
    const accuracy = { batch: 16, images: data.test.count };
    await expect(runs.execute(runs.suite({ models, accuracy }))).rejects.toThrow('someone/there');
  });
});
