import type { Reporter, TestModule } from 'vitest/node';

/** Says of each mutant whether the tests have found it. */
export default class MutantReporter implements Reporter {
  private readonly survived: string[] = [];
  private found = 0;

  onTestModuleEnd(module: TestModule): void {
    const survived = module.ok();
    if (survived) this.survived.push(module.project.name);
    else this.found += 1;
    console.log(`${survived ? 'SURVIVED' : 'found'} ${module.project.name}`);
  }

  onTestRunEnd(): void {
    console.log(`${this.found} mutants found, ${this.survived.length} survived.`);
    process.exitCode = this.survived.length > 0 ? 1 : 0;
  }
}
