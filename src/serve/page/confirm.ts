import { html } from '../../report/html/markup.js';

/**
 * Asks before something is done that cannot be undone. The focus comes back to where it was.
 *
 * @param question - what is about to be done
 * @param yes - the button that does it
 * @param no - the button that does not, which has the focus
 * @returns whether to do it
 */
export function confirmed(question: string, yes: string, no: string): Promise<boolean> {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'question');
  dialog.innerHTML = html`<form method="dialog">
    <p id="question">${question}</p>
    <p class="actions">
      <button value="no" autofocus>${no}</button>
      <button value="yes" class="main">${yes}</button>
    </p>
  </form>`.text;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes');
    });
  });
}
