/** What the process of `unpackApart` runs: a task as its argument, what came of it on standard output. */
import { unpackParquet, type UnpackTask } from './unpack.js';

const task = JSON.parse(process.argv[2] ?? '') as UnpackTask;
process.stdout.write(JSON.stringify(await unpackParquet(task)));
