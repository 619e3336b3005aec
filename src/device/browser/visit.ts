import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { DeviceError, messageOf } from '../../base/errors.js';
import { News } from '../../protocol/conversation.js';
import { eventSchema, type AgentEvent } from '../../protocol/events.js';
import { decodeLine } from '../../protocol/lines.js';
import { identitySchema, SAY, type PageIdentity } from '../../protocol/page.js';
import { MAX_TASK_CHARACTERS } from '../conversation.js';
import { agentSilent, protocolBroken } from '../device.js';
import type { FreshPage } from './launch.js';

/** What a page says. */
export type Said = AgentEvent | PageIdentity;

const saidSchema = z.union([eventSchema, identitySchema]);

/** How long to wait for the reason when something in the page fails. */
const REASON_MILLISECONDS = 1000;

/** How a visit is watched and ended. */
export interface VisitOptions {
  /** Receives what the page says; what it returns other than undefined ends the visit. */
  readonly onSaid: (said: Said) => 'over' | undefined;
  readonly signal: AbortSignal;
  /** The visit has failed when the page says nothing for so long, */
  readonly silenceMilliseconds: number;
  /** or when it takes so long as a whole. */
  readonly timeoutMilliseconds: number | undefined;
}

/**
 * Opens the agent's page and listens until it is done.
 *
 * @param fresh - a page
 * @param url - where the agent is served
 * @param options - who listens, and when enough is enough
 * @throws DeviceError when the page or its browser fails, falls silent or breaks the protocol; the signal's reason when it fires
 */
export async function visit({ page, browser }: FreshPage, url: string, options: VisitOptions): Promise<void> {
  const { onSaid, signal, silenceMilliseconds, timeoutMilliseconds } = options;
  const errors: string[] = [];
  let heard = 0;
  let settle!: (reason?: Error) => void;
  const over = new Promise<void>((resolve, reject) => {
    settle = (reason) => (reason ? reject(reason) : resolve());
  });
  const fail = (reason: string): void => {
    // Errors that nobody caught in the page are often what led here.
    settle(new DeviceError([reason, ...new Set(errors)].join(': ')));
  };
  const after = (milliseconds: number, reason: string): NodeJS.Timeout =>
    setTimeout(() => {
      fail(reason);
    }, milliseconds);
  const news = new News();
  const silence = (): NodeJS.Timeout =>
    setTimeout(() => {
      if (errors.length > 0) fail(agentSilent(silenceMilliseconds).message);
      else settle(agentSilent(silenceMilliseconds));
    }, silenceMilliseconds);
  let silent = silence();
  const late =
    timeoutMilliseconds === undefined
      ? undefined
      : after(
          timeoutMilliseconds,
          `it took longer than ${timeoutMilliseconds / 1000} s, the profile's timeout`,
        );
  const stop = (): void => {
    settle(signal.reason as Error);
  };
  const hear = (text: string): void => {
    heard += text.length;
    try {
      if (heard > MAX_TASK_CHARACTERS) throw new Error(`more than ${MAX_TASK_CHARACTERS} bytes in one task`);
      const said = decodeLine(saidSchema, text);
      if (said.event === 'identified' || news.isNew(said)) {
        clearTimeout(silent);
        silent = silence();
      }
      if (onSaid(said) === 'over') settle();
    } catch (error) {
      settle(error instanceof DeviceError ? error : protocolBroken(error));
    }
  };
  const crashed = (): void => {
    fail('the page crashed (out of memory?)');
  };
  const closed = (): void => {
    fail('the page was closed before its task was done');
  };
  const noted = (error: unknown): void => {
    errors.push(messageOf(error));
  };
  const ended = (): void => {
    fail('the browser ended before its task was done');
  };
  over.catch(() => undefined);
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', stop);
    page.on('error', crashed).on('close', closed).on('pageerror', noted);
    browser.on('disconnected', ended);
    const session = await page.createCDPSession();
    session.on('Runtime.bindingCalled', ({ name, payload }) => {
      if (name === SAY) hear(payload);
    });
    await Promise.race([
      over,
      (async () => {
        await session.send('Runtime.enable');
        await session.send('Runtime.addBinding', { name: SAY });
        await page.goto(url, { waitUntil: 'load', timeout: silenceMilliseconds });
      })(),
    ]);
    await over;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DeviceError) throw error;
    // A page that went away answers nothing; where it went is heard at about the same time.
    const reason = await Promise.race([over.catch((why: unknown) => why), sleep(REASON_MILLISECONDS)]);
    throw reason instanceof DeviceError ? reason : new DeviceError(messageOf(error));
  } finally {
    clearTimeout(silent);
    clearTimeout(late);
    signal.removeEventListener('abort', stop);
    // Only ours: the library has listeners of its own there, without which nothing can be closed.
    page.off('error', crashed).off('close', closed).off('pageerror', noted);
    browser.off('disconnected', ended);
  }
}
