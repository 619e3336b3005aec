import { spawnSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { commands } from '../../src/cli/commands.js';
import { shapeOfAll } from '../../src/cli/completion/shape.js';
import { wantedAt } from '../../src/cli/completion/suggest.js';
import { setBaseline } from '../../src/store/baselines.js';
import { openStore } from '../../src/store/open.js';
import { listRuns } from '../../src/store/read.js';
import { useFolder } from '../support/folder.js';
import { storeCell } from '../support/rows.js';
import { onTerminal } from './terminal.js';

const folder = useFolder();
const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** The environment of a shell in which `edgeflex` is a command. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  const program = folder('edgeflex');
  await writeFile(
    program,
    `#!/bin/sh\nexec '${process.execPath}' '${join(packageRoot(), 'bin', 'edgeflex.js')}' "$@"\n`,
  );
  await chmod(program, 0o755);
  return { PATH: `${folder()}:${process.env['PATH']}`, HOME: folder(), PS1: 'ready$ ' };
}

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  await storeCell(db, '20261001-a');
  const [run] = await listRuns(db);
  await setBaseline(db, 'main', run!, '2026-10-01T10:00:00.000Z');
  await db.destroy();
});

/** What is typed, what must be offered and what must not. */
const cases: readonly (readonly [typed: string, offered: readonly string[], not: readonly string[]])[] = [
  ['', ['run', 'compress', 'completion'], ['suggest', 'quickstart']],
  ['co', ['compare', 'compress', 'completion'], ['run']],
  ['run qui', ['quickstart'], ['cifar10']],
  ['run --device loc', ['local-cpu', 'local-cpu-one-thread'], ['browser-wasm']],
  ['run quickstart --tier ', ['smoke', 'rapid'], ['quickstart']],
  ['run quickstart --pre', ['--precision'], ['--raw']],
  ['run quickstart --resume ', ['20261001-a', '--tier'], ['quickstart']],
  ['compare ma', ['main'], ['20261001-a']],
  ['report 2026', ['20261001-a'], ['main']],
  ['baseline ', ['set', 'list', 'rm'], ['main']],
  ['baseline rm ', ['main'], ['20261001-a']],
  ['history ', ['tiny'], ['quickstart']],
  ['compress vit-m', ['vit-micro-shapes10'], []],
  ['compress vit-tiny --recipe int', ['int8'], []],
  ['calibrate --dataset sha', ['shapes10'], []],
  ['devices check local-cpu br', ['browser-wasm'], []],
  ['compare main --format ju', ['junit'], ['json']],
  ['completion ', ['bash', 'zsh', 'fish'], ['suggest']],
];

describe('completion in bash', () => {
  it('offers what there is', async () => {
    const script = [
      'source <(edgeflex completion bash)',
      'ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _edgeflex; printf "%s," "${COMPREPLY[@]}"; echo; }',
      ...cases.map(([typed]) => `ask edgeflex ${typed.replace(/(^| )$/, "$1''")}`),
      'ask edgeflex run --device = loc',
      'ask edgeflex run --results = nowhere --resume 2026',
    ].join('\n');
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
      ...{ cwd: folder(), encoding: 'utf8' },
      env: { ...process.env, ...(await environment()) },
    });
    expect(stderr).toBe('');
    const answers = stdout.split('\n').map((line) => line.split(',').filter(Boolean));
    for (const [index, [typed, offered, not]] of cases.entries()) {
      expect(answers[index], typed).toEqual(expect.arrayContaining([...offered]));
      for (const each of not) expect(answers[index], typed).not.toContain(each);
    }
    expect(answers[cases.length]).toContain('local-cpu');
    expect(answers[cases.length + 1]).toEqual([]);
  });

  it('completes when the key is pressed, files too', async () => {
    await writeFile(folder('mine.onnx'), '');
    await writeFile(folder('rc'), "PS1='ready$ '\nsource <(edgeflex completion bash)\n");
    const { shown } = await onTerminal(['bash', '--noprofile', '--rcfile', folder('rc'), '-i'], {
      ...{ cwd: folder(), env: await environment() },
      types: [
        { after: 'ready$ ', keys: 'edgeflex suites show quick\t' },
        { after: 'show quickstart', keys: '\u0015edgeflex run quickstart --raw mi\t' },
        { after: '--raw mine.onnx', keys: '\u0015exit\r' },
      ],
    });
    expect(shown).toContain('suites show quickstart ');
    expect(shown).toContain('--raw mine.onnx');
  });
});

describe.runIf(has('fish'))('completion in fish', () => {
  it('offers what there is, with descriptions', async () => {
    const script = [
      'edgeflex completion fish | source',
      ...cases.map(([typed]) => `complete -C 'edgeflex ${typed}'; echo =`),
      "complete -C 'edgeflex run --device=loc'",
    ].join('\n');
    const { stdout } = spawnSync('fish', ['--no-config', '-c', script], {
      ...{ cwd: folder(), encoding: 'utf8' },
      env: { ...process.env, ...(await environment()) },
    });
    const answers = stdout.split('=\n').map((part) => part.split('\n').map((line) => line.split('\t')[0]));
    for (const [index, [typed, offered, not]] of cases.entries()) {
      expect(answers[index], typed).toEqual(expect.arrayContaining([...offered]));
      for (const each of not) expect(answers[index], typed).not.toContain(each);
    }
    expect(answers[cases.length]).toContain('--device=local-cpu');
    expect(stdout).toMatch(/compress\tapply a recipe/);
  });
});

describe.runIf(has('zsh'))('completion in zsh', () => {
  it('completes when the key is pressed', async () => {
    await writeFile(
      folder('.zshrc'),
      "PS1='ready$ '\nautoload -Uz compinit\ncompinit -u\nsource <(edgeflex completion zsh)\n",
    );
    const { shown } = await onTerminal(['zsh', '-d', '-i'], {
      ...{ cwd: folder(), env: { ...(await environment()), ZDOTDIR: folder() } },
      types: [
        { after: 'ready$ ', keys: 'edgeflex suites show quick\t' },
        { after: 'start', keys: '\u0015edgeflex run --device=browser-wa\t' },
        { after: 'sm', keys: '\u0015exit\r' },
      ],
    });
    // It rings the bell where it stops to complete.
    const text = shown.replaceAll('\u0007', '');
    expect(text).toContain('suites show quickstart');
    expect(text).toContain('--device=browser-wasm');
  });
});

it('what the build wrote down is what the commands are', async () => {
  const shapes = await shapeOfAll();
  expect(shapes.map(({ name }) => name)).toEqual(commands.map(({ name }) => name));
  const built = await readFile(join(packageRoot(), 'dist', 'command', 'completion.json'), 'utf8');
  expect(JSON.parse(built)).toEqual(JSON.parse(JSON.stringify(shapes)));
  const { words } = wantedAt(shapes, ['run', '--json', '--']);
  expect(words.map(({ value }) => value)).toEqual(
    expect.arrayContaining(['--device', '--help', '--verbose', '--quiet']),
  );
  expect(words.map(({ value }) => value)).not.toContain('--json');
});
