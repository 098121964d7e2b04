// What Gradio's own scripts must find when they begin: `lab/ui/web.py` puts this first in the page's head.
(() => {
  // Why: the loading clock of Gradio's page asks for frame after frame, and goes on when its picture is taken away. It
  // keeps the requestAnimationFrame that its module found: that one is slowed down once the page is there, and
  // everybody else has the browser's own again (`core.js`, whose script runs after that module).
  // Without it: a page that stands still draws sixty times a second, on the processor that trains.
  // Seen on: gradio 6.31; `tests/browser/test_page.py` holds both.
  const frame = window.requestAnimationFrame;
  let loading = true;
  window.requestAnimationFrame = (work) => (loading ? frame.call(window, work) : setTimeout(work, 1000));
  window.labLoaded = () => {
    loading = false;
    window.requestAnimationFrame = frame;
  };

  // Why: Gradio's page that asks for a password says nothing when an attempt must wait.
  // Without it: who must wait sees a button that does nothing.
  // Seen on: gradio 6.31; `tests/browser/test_gradio.py` holds it.
  addEventListener("DOMContentLoaded", () => {
    if (!window.gradio_config?.auth_required) return;
    let timer;
    const soon = () => {
      clearTimeout(timer);
      timer = setTimeout(wait, 300); // after the attempt that a click or Enter sent
    };
    document.addEventListener("click", soon);
    document.addEventListener("keyup", ({ key }) => key === "Enter" && soon());
  });
  async function wait() {
    // Without a name and a password nothing is tried: the door only says whether one must wait.
    const answer = await fetch("login", { method: "POST", body: new URLSearchParams() });
    if (answer.status !== 429) return document.getElementById("lab-wait")?.remove();
    const words = document.getElementById("lab-wait")
      || Object.assign(document.createElement("p"), { id: "lab-wait", role: "alert" });
    words.textContent = (await answer.json()).detail;
    document.querySelector("h2")?.after(words);
  }
})();
