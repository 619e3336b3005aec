import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { DeviceError } from '../../../src/base/errors.js';
import { Metering, readMeter } from '../../../src/device/ssh/meter.js';
import type { AgentEvent } from '../../../src/protocol/events.js';
import { useFolder } from '../../support/folder.js';
import { until } from '../../support/processes.js';

const folder = useFolder();

describe('a meter', () => {
  it('is a program that prints watts, started without a shell', async () => {
    expect(await readMeter(['echo', '4.25 W'])).toBe(4.25);
    expect(await readMeter(['printf', '%s', '7$(touch /tmp/edgeflex-hacked)'])).toBe(7);
  });

  it.each([
    [['false'], 'the meter false failed'],
    [['edgeflex-no-such-meter'], 'ENOENT'],
    [['echo', 'about five'], 'must print the watts'],
    [['echo', '-3'], 'must print the watts'],
  ])('that is %j is refused', async (command, words) => {
    await expect(readMeter(command)).rejects.toThrow(DeviceError);
    await expect(readMeter(command)).rejects.toThrow(words);
  });

  it('is read while queries are timed, in the place of what the board says of its power', async () => {
    await writeFile(folder('watts'), '6.5');
    const seen: AgentEvent[] = [];
    const metering = new Metering(['cat', folder('watts')], (event) => seen.push(event));
    const memory = {};
    metering.hear({ event: 'conditions', phase: 'warmup', conditions: { at: 1, watts: 3, temperature: 50 } });
    expect(seen).toEqual([{ event: 'conditions', phase: 'warmup', conditions: { at: 1, temperature: 50 } }]);
    metering.hear({ event: 'phase', phase: 'warmup', milliseconds: 1, memory });
    await until('the meter is read', () => seen.length === 3);
    expect(seen[2]).toMatchObject({ event: 'conditions', phase: 'steady', conditions: { watts: 6.5 } });
    await metering.stop();
    const count = seen.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toHaveLength(count);
  });

  it('says nothing behind the last event of the agent, however slow it is', async () => {
    await writeFile(folder('slow.sh'), 'sleep 0.2; echo 6.5\n');
    const seen: AgentEvent[] = [];
    const metering = new Metering(['sh', folder('slow.sh')], (event) => seen.push(event));
    metering.hear({ event: 'phase', phase: 'warmup', milliseconds: 1, memory: {} });
    metering.hear({ event: 'failed', reason: { kind: 'error', message: 'no' } } as unknown as AgentEvent);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(seen.map(({ event }) => event)).toEqual(['phase', 'failed']);
    await metering.stop();
  });
});
