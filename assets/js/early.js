(() => {
  // Gradio's page for --auth keeps silent when an attempt must wait: the server's sentence is shown under its title.
  const ask = window.fetch.bind(window);
  window.fetch = async (...asked) => {
    const answer = await ask(...asked);
    if (answer.status === 429 && /\/login\/?$/.test(new URL(answer.url).pathname)) {
      const words = document.getElementById("lab-wait") || Object.assign(document.createElement("p"), { id: "lab-wait" });
      words.setAttribute("role", "alert");
      words.textContent = (await answer.clone().json()).detail;
      document.querySelector("h2")?.after(words);
    }
    return answer;
  };

  // Gradio's loading clock is asked for at every frame and never stopped, not even when its picture is gone: a page
  // that stands still would draw sixty times a second. Once a second is enough for a clock.
  const frame = requestAnimationFrame.bind(window);
  const clock = /^\(\)\s*=>\s*\{[^}]*performance\.now\(\)\s*-[^}]*\}$/;
  window.requestAnimationFrame = (work) => {
    const text = String(work);
    return text.length < 120 && clock.test(text) ? setTimeout(work, 1000) : frame(work);
  };
})();
