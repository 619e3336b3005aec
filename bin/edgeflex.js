#!/usr/bin/env node
// Modules are loaded within reach of a catch: Node's own code for what fails here is 1, which says that a gate failed.
const INTERNAL = 70;
const OUT_OF_RESOURCES = 3;
process.exitCode = INTERNAL;

import('../dist/command/main.js')
  .then(({ main }) => main(process.argv))
  .catch((error) => {
    const exhausted = ['EMFILE', 'ENFILE', 'ENOMEM'].includes(error?.code);
    process.exitCode = exhausted ? OUT_OF_RESOURCES : INTERNAL;
    console.error(
      exhausted
        ? `error: edgeflex could not be loaded: ${error.message}\nThe system's limit is too low: "ulimit -n 1024" raises it for open files.`
        : `error: edgeflex could not be loaded: ${error?.stack ?? error}`,
    );
  });
