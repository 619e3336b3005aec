import type Library from 'nodemailer';
import { InputError } from '../base/errors.js';
import { optional } from '../base/optional.js';

/** How long each step with a mail server may take, in milliseconds. */
const PATIENCE = 20_000;

/** A message as it is mailed. */
export interface Mail {
  /** The same whenever it is sent again. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly attachments: readonly { readonly filename: string; readonly path: string }[];
}

/**
 * Checks whom mail is to go to.
 *
 * @param address - one or several, separated by commas
 * @throws InputError when one is none
 */
export function checkedAddresses(address: string): string {
  const each = address.split(',').map((part) => part.trim());
  if (each.every((part) => /^[^\s@<>"(),:;\\[\]]+@[^\s@<>"(),:;\\[\]]+$/.test(part))) return each.join(', ');
  throw new InputError({ source: '--email', found: address, expected: 'addresses such as lab@example.org' });
}

/**
 * Sends mail.
 *
 * @param server - `smtp://user:password@host:587` or `smtps://…`
 * @param from - the sender
 * @param mail - what is sent
 * @throws InputError when nodemailer is not installed; Error when the server does not take it
 */
export async function sendMail(server: string, from: string, { id, ...mail }: Mail): Promise<void> {
  const transport = (await loadLibrary()).createTransport(server, {
    ...{ connectionTimeout: PATIENCE, greetingTimeout: PATIENCE, socketTimeout: PATIENCE },
    // Attachments are ours; nothing in a message names further files or addresses to read.
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      ...{ from, to: mail.to, subject: mail.subject, text: mail.text, messageId: `<${id}@edgeflex>` },
      attachments: [...mail.attachments],
    });
  } finally {
    transport.close();
  }
}

async function loadLibrary(): Promise<typeof Library> {
  const part = { packages: ['nodemailer'], source: 'alerts by e-mail', what: 'what sends mail' };
  return (await optional(part, () => import('nodemailer'))).default;
}
