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
  // Seen on: gradio 6.31; `tests/browser/test_shared.py` holds it. Browsers that do not tell a status stay silent.
  const observer = new PerformanceObserver((list) => {
    for (const { name, responseStatus } of list.getEntries()) {
      if (responseStatus === 429 && /\/login\/?$/.test(name)) wait(name);
    }
  });
  observer.observe({ type: "resource" });
  async function wait(address) {
    const answer = await fetch(`${address}?wait`, { method: "POST" }); // the door counts no attempt while it is shut
    if (answer.status !== 429) return;
    const words = document.getElementById("lab-wait")
      || Object.assign(document.createElement("p"), { id: "lab-wait", role: "alert" });
    words.textContent = (await answer.json()).detail;
    document.querySelector("h2")?.after(words);
  }
})();
