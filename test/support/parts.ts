import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { postgresPrograms } from './postgres/installed.js';

/** Something besides the installed packages that some tests need. */
export interface Part {
  readonly name: string;
  /** What is not tested without it. */
  readonly untested: string;
  /** How to come by it. */
  readonly hint: string;
  /** What of it is missing here; undefined when it is there. */
  readonly missing: string | undefined;
  /** Too large a part to ask of every CI: without it the last lines of the tests say so, and nothing fails. */
  readonly optional?: true;
}

const installed = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser that tests use; undefined where there is none. */
export const browserPath =
  process.env['PUPPETEER_EXECUTABLE_PATH'] ?? installed.find((path) => existsSync(path));

export const browserPart: Part = {
  name: 'browser',
  untested: 'the report in a browser and browsers as devices',
  hint: '"apt-get install chromium" brings one; PUPPETEER_EXECUTABLE_PATH names another',
  missing: browserPath === undefined ? 'Chromium' : undefined,
};

const ofBoard: readonly (readonly [there: boolean, name: string])[] = [
  [process.platform === 'linux' && process.geteuid?.() === 0, 'root on Linux'],
  [existsSync('/usr/bin/qemu-aarch64-static'), 'qemu-user-static'],
  [existsSync('/usr/sbin/sshd'), 'openssh-server'],
  [existsSync('/usr/bin/ssh'), 'openssh-client'],
];

export const boardPart: Part = {
  name: 'board',
  untested: 'boards over SSH',
  hint: 'as root on Debian, "apt-get install qemu-user-static openssh-server openssh-client"',
  missing: ofBoard.find(([there]) => !there)?.[1],
};

/** Small disks and read-only ones. */
export const mountPart: Part = {
  name: 'mount',
  untested: 'full and read-only disks',
  hint: 'as root on Linux, where "unshare --mount true" works',
  missing:
    process.geteuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0
      ? undefined
      : 'a namespace of mounts',
};

/** Plays x86-64 processors that this machine's is not. */
export const qemuX64 = '/usr/bin/qemu-x86_64-static';

const ofAvx2: readonly (readonly [there: boolean, name: string])[] = [
  [process.platform === 'linux' && process.arch === 'x64', 'Linux on x86-64'],
  [existsSync(qemuX64), 'qemu-user-static'],
];

export const avx2Part: Part = {
  name: 'avx2',
  untested: 'INT8 on processors without VNNI',
  hint: 'on Debian, "apt-get install qemu-user-static"',
  missing: ofAvx2.find(([there]) => !there)?.[1],
};

const postgresPart: Part = {
  name: 'postgres',
  untested: 'the shared store and the queue',
  hint: 'on Debian, "apt-get install postgresql"',
  missing: postgresPrograms === undefined ? 'PostgreSQL' : undefined,
};

const runs = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

export const sqlitePart: Part = {
  name: 'sqlite3',
  untested: 'what is interrupted, looked at from outside',
  hint: 'on Debian, "apt-get install sqlite3"',
  missing: runs('sqlite3') ? undefined : 'the sqlite3 command',
};

export const texPart: Part = {
  name: 'tex',
  untested: 'whether LaTeX sets report.tex',
  hint: 'on Debian, "apt-get install texlive-latex-extra"',
  missing: runs('pdflatex') ? undefined : 'pdflatex',
  optional: true,
};

/** All parts that tests look for. */
export const parts: readonly Part[] = [
  ...[browserPart, boardPart, mountPart, avx2Part, postgresPart, sqlitePart, texPart],
];
