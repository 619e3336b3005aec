"""EdgeFlex's own rows."""
import os
import shutil
import subprocess

from setting import Variant


def edgeflex(recipe):
    """EdgeFlex itself: a recipe of suites/recipes, or None for float32."""

    def make(setting, folder):
        path = setting.root / 'suites' / 'recipes' / f'{recipe}.yaml'
        if recipe is None:
            path = folder / 'fp32.yaml'
            path.write_text('name: fp32\nstages: []\n')
        # A cache of its own: what is timed is the work, not finding what was made before.
        environment = {**os.environ, 'EDGEFLEX_CACHE': str(folder / 'cache')}
        command = ['node', 'bin/edgeflex.js', 'compress', str(setting.model), '--recipe', str(path)]
        command += ['--data', str(setting.data), '--dataset', 'cifar10', '-o', str(folder / 'out')]
        subprocess.run(command, cwd=setting.root, env=environment, check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder / 'cache')
        return folder / 'out' / 'model.onnx'

    return Variant(make, recipe=recipe, own=True)
