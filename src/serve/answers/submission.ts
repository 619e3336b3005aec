import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, type InputFault } from '../../base/errors.js';
import { isName } from '../../base/named.js';
import { readYaml } from '../../base/schema.js';
import { withTemporaryFolder } from '../../base/temporary.js';
import type { Submission } from '../../queue/jobs.js';
import { readRequirements } from '../../queue/requirements.js';
import { planSubmission } from '../../queue/submit.js';
import { readSuite } from '../../suite/read.js';
import type { Question } from '../api/routes.js';

/** What messages call a suite that came by the network. */
const SOURCE = 'the suite';

/**
 * Plans what somebody submits by the network. Everything in it goes by its name: files of this machine are not read for strangers, and
 * no code of theirs is loaded.
 *
 * @param body - of the request
 * @param person - who asks
 * @throws InputError when the suite is unusable, or names a file or a plug-in
 */
export async function plannedSubmission(
  body: Question<'submit'>['body'],
  person: string,
): Promise<Submission> {
  return withTemporaryFolder('submission', async (folder) => {
    const path = join(folder, 'suite.yaml');
    await writeFile(path, body.suite, { mode: 0o600 });
    try {
      refuseFiles((await readYaml(path, 'a suite')).value);
      const submission = await planSubmission(await readSuite(path), {
        ...{ person, priority: body.priority ?? 0, devices: body.devices ?? [] },
        needs: (body.needs ?? []).map((each) => readRequirements(each, 'needs')),
        ...{ identical: body.identical ?? false, compress: body.compressFirst ?? false, plugins: [] },
        command: 'edgeflex serve: submitted through the dashboard',
      });
      // The checkout that the server was started in has nothing to do with it.
      return { ...submission, run: { ...submission.run, repository: null } };
    } catch (error) {
      throw error instanceof InputError ? new InputError(withoutPath(error.fault, path, folder)) : error;
    }
  });
}

function withoutPath(fault: InputFault, path: string, folder: string): InputFault {
  const renamed = (text: string): string => text.replaceAll(path, SOURCE).replaceAll(folder, '.');
  return Object.fromEntries(
    Object.entries(fault).map(([key, text]: [string, string]) => [key, renamed(text)]),
  ) as unknown as InputFault;
}

/** Values in a suite that may lead to files; what is not as the schema has it, the schema refuses. */
function refuseFiles(value: unknown): void {
  const suite = recordOf(value);
  if (listOf(suite['plugins']).length > 0) refuse('plugins', 'plug-ins', 'a suite without plug-ins');
  checkName('data', suite['data']);
  for (const [key, inner] of Object.entries(recordOf(suite['data'])))
    if (key !== 'name') refuse(`data.${key}`, show(inner), 'images by name: files are not read here');
    else checkName('data.name', inner);
  for (const [index, model] of listOf(suite['models']).entries()) {
    for (const key of ['raw', 'preprocessor'])
      if (key in recordOf(model)) refuse(`models[${index}].${key}`, 'a file', 'a model by name');
    checkName(`models[${index}].path`, recordOf(model)['path']);
  }
  for (const [index, recipe] of listOf(suite['recipes']).entries()) {
    for (const key of ['raw', 'preprocessor'])
      if (key in recordOf(recipe)) refuse(`recipes[${index}].${key}`, 'a file', 'a recipe');
    checkName(`recipes[${index}]`, recipe);
    checkName(`recipes[${index}].recipe`, recordOf(recipe)['recipe']);
  }
  for (const [index, device] of listOf(suite['devices']).entries()) checkName(`devices[${index}]`, device);
}

function checkName(place: string, value: unknown): void {
  if (typeof value !== 'string' || (isName(value) && !value.startsWith('.'))) return;
  refuse(place, value, 'a name: files of the server are not read');
}

function refuse(place: string, found: string, expected: string): never {
  throw new InputError({
    ...{ source: SOURCE, place, found, expected },
    hint: 'Submit suites with files or plug-ins by "edgeflex submit".',
  });
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : 'a value';
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
