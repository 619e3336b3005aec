import { createHmac, timingSafeEqual } from 'node:crypto';
import { InputError } from '../base/errors.js';

/** Name of the header with the signature, and of that with the message's id, which is the same whenever it is sent again. */
export const SIGNATURE_HEADER = 'x-edgeflex-signature';
export const ID_HEADER = 'x-edgeflex-delivery';

/** How long a receiver may take, in milliseconds. */
const PATIENCE = 10_000;

/**
 * The signature of a message: `t=<seconds>,v1=<HMAC-SHA-256 of "seconds.body", in hex>`.
 *
 * @param secret - that both sides know
 * @param seconds - when it is sent, since 1970: receivers refuse old ones
 * @param body - all of it
 */
export function signature(secret: string, seconds: number, body: string): string {
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

/**
 * Whether a signature is right: what a receiver does.
 *
 * @param header - as it came
 * @param secret - that both sides know
 * @param body - as it came
 */
export function isSigned(header: string, secret: string, body: string): boolean {
  const seconds = /^t=(\d+),v1=[0-9a-f]{64}$/.exec(header)?.[1];
  if (seconds === undefined) return false;
  return timingSafeEqual(Buffer.from(header), Buffer.from(signature(secret, Number(seconds), body)));
}

/**
 * Checks where messages are to go.
 *
 * @param url - as it was given
 * @throws InputError when it is no address of HTTP, or has a password in it, which would be stored
 */
export function checkedWebhook(url: string): string {
  const refuse = (found: string): InputError =>
    new InputError({
      source: '--webhook',
      found,
      expected: 'an http:// or https:// address without a password',
    });
  if (!URL.canParse(url)) throw refuse(url);
  const { protocol, username, password } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw refuse(url);
  if (username !== '' || password !== '') throw refuse('one with a user or a password');
  return url;
}

/**
 * Posts a message. Redirects are not followed, and nothing of the answer but its status is kept: whoever may add schedules must not read
 * with the worker's eyes.
 *
 * @param url - where to
 * @param id - of the message
 * @param secret - to sign it with
 * @param content - that is sent as JSON
 * @throws Error when it was not taken, with the reason
 */
export async function postWebhook(url: string, id: string, secret: string, content: object): Promise<void> {
  const body = JSON.stringify(content);
  const seconds = Math.floor(Date.now() / 1000);
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    signal: AbortSignal.timeout(PATIENCE),
    headers: {
      'content-type': 'application/json',
      [ID_HEADER]: id,
      [SIGNATURE_HEADER]: signature(secret, seconds, body),
    },
    body,
  });
  await response.body?.cancel();
  if (response.status < 200 || response.status > 299) throw new Error(`it answered ${response.status}`);
}
