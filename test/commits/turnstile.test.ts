import { describe, expect, it, vi } from 'vitest';
import { Turnstile } from '../../src/commits/turnstile.js';
import { ResourceError } from '../../src/base/errors.js';
import { alone, turnsOf, type Turns } from '../../src/run/turns.js';

const never = new AbortController().signal;

async function joined(path: string, stop: (reason: unknown) => void = () => undefined): Promise<Turns> {
  return turnsOf({ EDGEFLEX_TURNS: path }, never, stop);
}

describe('runs that share a machine', () => {
  it('take their turns over sockets, and the last goes on when the others are gone', async () => {
    const turnstile = await Turnstile.open(['base', 'head']);
    try {
      const [base, head] = await Promise.all([
        joined(turnstile.path('base')),
        joined(turnstile.path('head')),
      ]);
      const had: string[] = [];
      const measure = async (name: string, turns: Turns): Promise<void> => {
        for (const step of [0, 1, 2]) {
          await turns.take('here', step);
          had.push(`${name}${step}`);
        }
        turns.leave('here');
      };
      await Promise.all([measure('base', base), measure('head', head)]);
      expect(had).toEqual(['base0', 'head0', 'head1', 'base1', 'base2', 'head2']);
      const again = base.take('here', 3);
      turnstile.without('head');
      await again;
    } finally {
      await turnstile.close();
    }
  });

  it('stop when whoever gives the turns is gone, and when they are told to', async () => {
    const turnstile = await Turnstile.open(['base', 'head']);
    const stop = vi.fn();
    const turns = await joined(turnstile.path('base'), stop);
    const waiting = turns.take('here', 0);
    const refused = expect(waiting).rejects.toThrow(ResourceError);
    await turnstile.close();
    await refused;
    expect(stop).toHaveBeenCalledOnce();
    await expect(turns.take('here', 0)).rejects.toThrow(ResourceError);

    const open = await Turnstile.open(['base', 'head']);
    const controller = new AbortController();
    const other = await turnsOf({ EDGEFLEX_TURNS: open.path('base') }, controller.signal, stop);
    const stopped = expect(other.take('here', 0)).rejects.toThrow('enough');
    controller.abort(new Error('enough'));
    await stopped;
    await open.close();
  });

  it('are refused where there is no socket, and have the machine to themselves where none is named', async () => {
    await expect(joined('/nowhere/socket')).rejects.toThrow('/nowhere/socket');
    expect(await turnsOf({}, never, () => undefined)).toBe(alone);
  });
});
