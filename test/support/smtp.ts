import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A message that the sink has taken. */
export interface TakenMail {
  readonly from: string;
  readonly to: readonly string[];
  /** With its headers; dots are unstuffed. */
  readonly data: string;
}

/** A mail server that takes everything, or refuses it. */
export interface MailSink {
  readonly url: string;
  readonly taken: TakenMail[];
  /** What the next messages are refused with, such as `451 later`; undefined takes them. */
  refuseWith: string | undefined;
}

/** Starts a mail server of its own for a test: the commands of RFC 5321 that a client needs who neither encrypts nor logs in. */
export async function mailSink(): Promise<MailSink> {
  const taken: TakenMail[] = [];
  const sink: MailSink = { url: '', taken, refuseWith: undefined };
  const server = createServer((socket) => {
    let [buffer, from, isData] = ['', '', false];
    let to: string[] = [];
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    say('220 sink');
    const command = (line: string): void => {
      const verb = line.slice(0, 4).toUpperCase();
      const path = /<([^>]*)>/.exec(line)?.[1] ?? '';
      if (verb === 'EHLO' || verb === 'HELO') say('250 sink');
      else if (verb === 'MAIL') [from, to] = [path, []];
      else if (verb === 'RCPT') to.push(path);
      else if (verb === 'DATA') isData = true;
      if (verb === 'MAIL' && sink.refuseWith !== undefined) say(sink.refuseWith);
      else if (['MAIL', 'RCPT', 'RSET', 'NOOP'].includes(verb)) say('250 ok');
      else if (verb === 'DATA') say('354 go on');
      else if (verb === 'QUIT') socket.end('221 bye\r\n');
      else if (verb !== 'EHLO' && verb !== 'HELO') say('502 unknown');
    };
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('data', (text: string) => {
      buffer += text;
      for (;;) {
        const end = buffer.indexOf(isData ? '\r\n.\r\n' : '\r\n');
        if (end < 0) return;
        const piece = buffer.slice(0, end);
        buffer = buffer.slice(end + (isData ? 5 : 2));
        if (!isData) command(piece);
        else {
          isData = false;
          taken.push({ from, to, data: piece.replaceAll('\r\n..', '\r\n.') });
          say('250 taken');
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return Object.assign(sink, { url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}` });
}
