// What the page's scripts know of Gradio's components by their parts. One place, so that a release that names them
// otherwise is met in one place; `tests/browser/test_gradio.py` holds each on a real page.
(() => {
  /** Why: an accordion says to its page neither that it was opened nor takes to be opened; a link to a section opens
   * one, and the address and screen readers are told of it. Without it: links to sections open nothing.
   * Seen on: gradio 6.31. */
  const accordion = {
    /** The button of an accordion. */
    button: (section) => section.querySelector(":scope > button.label-wrap"),
    /** Whether it is open. Its content has no style before it was opened once. */
    isOpen: (section) =>
      section.querySelector(":scope > [data-testid=accordion-content]")?.style.display === "block"
      || accordion.button(section).classList.contains("open"),
    /** The accordion whose button was clicked, of those that `selector` names. */
    clicked: (event, selector) => event.target.closest?.(`${selector} > button.label-wrap`)?.parentElement,
  };
  Lab.accordion = accordion;
})();
