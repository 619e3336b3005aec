import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { hostname, userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeviceError } from '../../base/errors.js';
import type { AgentProcess } from '../conversation.js';
import { boardFault } from './board-files.js';
import { SSH_FAILED, type Connection } from './connection.js';

/** Where every account of a board can see it; a restart may take it away. */
const LOCK = '/tmp/edgeflex-board.lock';

/** A lock that was not renewed for so long is nobody's: its harness is gone, or the link to it. */
const LEASE_SECONDS = 60;
const RENEW_SECONDS = 10;

/** A lock that is given back may take so long; then it is left to its lease. */
const RELEASE_MILLISECONDS = 5000;

/** What a board says of its lock is a word and the name of an owner. */
const MAX_ANSWER = 1000;

/** This process: it may hold a board several times, for profiles that differ in their threads. */
const HARNESS = randomUUID();

/**
 * `$1`: the lock, `$2`: who wants it, as a number of its own, `$3`: in words, `$4`: a number for this hold, `$5`: the lease in
 * seconds. Says `held`, or why not. Then it renews the lock with each line of standard input, and gives it back at its end.
 *
 * Whatever looks at the lock and then changes it does both behind a gate, `flock`, which is open again when its process is gone.
 * A board without that command lets a new owner wait, and look again whether it is the owner still.
 */
export const HOLD = `
lock=$1 harness=$2 who=$3 hold=$4 lease=$5
umask 022
gate=
if command -v flock >/dev/null 2>&1; then
  gate=$lock.gate
  [ -e "$gate" ] || touch "$gate" 2>/dev/null
  [ -r "$gate" ] || { echo "$gate cannot be read" >&2; exit 1; }
  exec 9<"$gate"
fi
enter() {
  [ "$gate" ] || return 0
  for second in 1 2 3 4 5 6 7 8 9 10; do flock -n 9 && return 0; sleep 1; done
  echo "$gate is kept by another process" >&2
  exit 1
}
leave() { [ -z "$gate" ] || flock -u 9; }
owner() { first=; second=; { IFS= read -r first; IFS= read -r second; } 2>/dev/null <"$lock/owner"; }
state='cannot be made'
enter
for turn in 1 2 3; do
  if mkdir "$lock" 2>/dev/null; then
    { printf '%s\\n%s\\n' "$harness" "$who" >"$lock/new" && mv "$lock/new" "$lock/owner"; } || { [ "$gate" ] || continue; rm -rf "$lock"; exit 1; }
    [ "$gate" ] || sleep 2
  fi
  owner
  if [ "$first" = "$harness" ]; then state=held; break; fi
  last=$(stat -c %Y "$lock/alive" 2>/dev/null || stat -c %Y "$lock" 2>/dev/null) || continue
  age=$(($(date +%s) - last))
  if [ "$age" -ge 0 ] && [ "$age" -lt "$lease" ]; then state="taken $second"; break; fi
  if mv "$lock" "$lock.$hold" 2>/dev/null; then rm -rf "$lock.$hold"; else state="left $second"; fi
done
[ "$state" = held ] || { printf '%.300s\\n' "$state"; exit 0; }
{ : >"$lock/hold.$hold" && echo >"$lock/alive"; } || exit 1
leave
echo held
while IFS= read -r line; do
  enter
  owner
  [ "$first" = "$harness" ] || exit 0
  echo >"$lock/alive"
  leave
done
enter
rm -f "$lock/hold.$hold"
owner
[ "$first" = "$harness" ] || exit 0
for each in "$lock"/hold.*; do [ -e "$each" ] && exit 0; done
rm -rf "$lock"`;

/**
 * A board that is this harness's alone: two would spoil each other's timings. The lock lives as long as the link does, and is
 * renewed all the while, so that one whose owner is gone frees itself.
 */
export class BoardLock {
  private constructor(private readonly process: AgentProcess) {
    const renewing = setInterval(() => process.stdin.write('\n'), RENEW_SECONDS * 1000);
    renewing.unref();
    process.once('exit', () => {
      clearInterval(renewing);
    });
  }

  /**
   * Takes the lock of a board.
   *
   * @param connection - to the board
   * @param name - of the device, for messages
   * @param harness - who wants it; tests play two
   * @throws LinkLost; DeviceError that names who holds it
   */
  static async take(connection: Connection, name: string, harness: string = HARNESS): Promise<BoardLock> {
    const args = [LOCK, harness, whoIAm(), randomUUID(), String(LEASE_SECONDS)];
    const { process, output } = connection.start(HOLD, args);
    let stderr = '';
    process.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-8192)));
    const exit = once(process, 'exit') as Promise<[number | null]>;
    exit.catch(() => undefined);
    const answer = await firstLine(output);
    if (answer === 'held') return new BoardLock(process);
    process.stdin.end();
    if (answer !== undefined) throw new DeviceError(`device ${name}: ${refusal(answer)}`);
    const [code] = await exit;
    if (code === SSH_FAILED) throw connection.lost();
    throw new DeviceError(`device ${name}: ${boardFault(stderr.trim(), code ?? 0)}`);
  }

  /** Whether it is held still, as far as is known. */
  get held(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Gives the board back. */
  async release(): Promise<void> {
    if (!this.held) return;
    const exit = once(this.process, 'exit');
    this.process.stdin.end();
    await Promise.race([exit, sleep(RELEASE_MILLISECONDS, undefined, { ref: false })]);
  }
}

/** @returns undefined where there is none */
async function firstLine(output: AsyncIterable<string>): Promise<string | undefined> {
  let text = '';
  // Not a loop over the output: leaving that would close it.
  const chunks = output[Symbol.asyncIterator]();
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) return undefined;
    text += next.value;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, Math.min(end, MAX_ANSWER)).replace(/\p{Cc}/gu, ' ');
    if (text.length > MAX_ANSWER) return text.slice(0, MAX_ANSWER).replace(/\p{Cc}/gu, ' ');
  }
}

function refusal(answer: string): string {
  const [, state, owner = ''] = /^(\S+) ?(.*)$/.exec(answer) ?? [];
  const who = owner.trim() || 'another EdgeFlex';
  if (state === 'taken')
    return (
      `the board is in use by ${who}\n` +
      `Wait until that run is over, or stop it there. A harness that is gone gives the board free within ${LEASE_SECONDS} s.`
    );
  if (state === 'left')
    return (
      `the board is kept by ${who}, who does not use it any more, but under another account of the board\n` +
      `Remove ${LOCK} there.`
    );
  return `the board does not let this account make ${LOCK}, which says who uses the board: ${answer}`;
}

/** Who holds the board, for the message that another harness gives. */
function whoIAm(): string {
  const since = new Date().toISOString().slice(0, 16).replace('T', ' ');
  return `${userName()}@${hostname()}, process ${process.pid}, since ${since} UTC`.replace(/\p{Cc}/gu, ' ');
}

/** An account without a name has a number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'somebody');
  }
}
