import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { readSuite } from '../../src/suite/read.js';
import { edgeflex } from '../cli/support.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, shapesDirectory } from '../support/micro.js';

const folder = useFolder();
const page = readFileSync(join(packageRoot(), 'docs', 'tutorials', 'ablation.md'), 'utf8');

const blockSchema = z.object({ matrix: z.record(z.string(), z.unknown()) });
/** The matrices of the tutorial, in the order they stand there. */
const matrices = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(
  ([, text]) => blockSchema.parse(parse(text!)).matrix,
);

/** A suite on the quickstart's model and images with a matrix. */
async function suiteWith(matrix: object): Promise<string> {
  const path = folder('suite.yaml');
  const suite = {
    ...{
      name: 'mine',
      data: { name: 'shapes10', path: shapesDirectory },
      models: [{ path: microDirectory }],
    },
    ...{ devices: [join(packageRoot(), 'devices', 'local-cpu.yaml')], accuracy: { images: 16, batch: 16 } },
    performance: { batches: [1], tier: 'smoke', rounds: 2 },
    matrix,
  };
  await writeFile(path, JSON.stringify(suite));
  return path;
}

it('the matrices of the tutorial are read', async () => {
  expect(matrices).toHaveLength(2);
  for (const matrix of matrices) {
    const { design, recipes } = await readSuite(await suiteWith(matrix));
    expect(design!.points.length).toBeGreaterThan(1);
    expect(recipes.length).toBeGreaterThan(8);
  }
  const built = await readSuite(join(packageRoot(), 'suites', 'ablation.yaml'));
  const first = await readSuite(await suiteWith(matrices[0]!));
  expect(first.recipes).toEqual(built.recipes);
});

it('its commands tell the effects of a matrix, from the estimate to the table for a paper', async () => {
  const suite = await suiteWith({
    stages: { prune: { prune: { ratio: 0.5, images: 16 } } },
    factors: { prune: ['off', 'on'], seed: [1, 2] },
  });
  const env = { EDGEFLEX_CACHE: folder('cache') };
  const places = ['--results', folder('results')];
  const dry = await edgeflex(['run', suite, '--dry-run', ...places], env);
  expect(dry.code).toBe(0);
  for (const fact of ['3 variants', '9 cells', '12 measurements', 'MiB', 'prune+seed-2'])
    expect(dry.out).toContain(fact);
  expect(existsSync(folder('results')) || existsSync(folder('cache'))).toBe(false);

  const run = await edgeflex(['run', suite, ...places, '--reports', folder('reports')], env);
  expect(run.code, run.err).toBe(0);
  expect(run.out).toContain('Full factorial over prune');

  // Another seed draws other images, and what is pruned by them is another model.
  const report = await edgeflex(['report', '--json', ...places], env);
  const { variants } = z
    .object({ variants: z.array(z.object({ recipe: z.string(), artifact: z.string() })) })
    .parse(JSON.parse(report.out));
  expect(variants.map(({ recipe }) => recipe)).toEqual(['fp32', 'prune+seed-1', 'prune+seed-2']);
  expect(new Set(variants.map(({ artifact }) => artifact)).size).toBe(3);

  const json = await edgeflex(['ablation', '--json', '--reference', 'fp32', ...places], env);
  const document = z
    .object({
      panels: z.array(
        z.object({
          metric: z.string(),
          effects: z.array(z.object({ effect: z.object({ value: z.number() }) })),
        }),
      ),
      against: z.array(z.object({ recipe: z.string() })),
    })
    .parse(JSON.parse(json.out));
  const file = document.panels.find(({ metric }) => metric === 'file')!;
  // Half of the MLPs, which are most of the model, is gone.
  expect(file.effects[0]!.effect.value).toBeLessThan(0.8);
  expect(new Set(document.against.map(({ recipe }) => recipe))).toEqual(
    new Set(['prune+seed-1', 'prune+seed-2']),
  );

  const known = z
    .object({ devices: z.array(z.object({ rounds: z.number(), knownRounds: z.number() })) })
    .parse(JSON.parse((await edgeflex(['run', suite, '--dry-run', '--json', ...places], env)).out));
  expect(known.devices[0]!.knownRounds).toBe(known.devices[0]!.rounds);

  const written = await edgeflex(['ablation', '--format', 'latex', '-o', folder('a.tex'), ...places], env);
  expect(written.code).toBe(0);
  expect(readFileSync(folder('a.tex'), 'utf8')).toContain('\\toprule');
}, 60_000);
