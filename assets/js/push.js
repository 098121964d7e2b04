// Pushing a run's adapter to the Hub: asks for a name, shows how far it is, and where it went.
(() => {
  const { h, put, call, note, say } = Lab;

  /** A name that the Hub takes, made from the run's. */
  const slug = (name) => name.normalize("NFKD").replace(/[^\w.-]+/g, "-").replace(/-{2,}|\.{2,}/g, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80);

  Lab.push = async (run, name) => {
    const field = h("input", { type: "text", id: "push-name", value: `${Lab.account.name ? Lab.account.name + "/" : ""}${slug(name) || "adapter"}`, spellcheck: "false", autocomplete: "off" });
    const choice = (value, words, checked) => h("label", { class: "row" }, h("input", { type: "radio", name: "push-who", value, checked }), words);
    const who = h("fieldset", {}, h("legend", {}, "Who may see it"), choice("private", "Only me (private)", true), choice("public", "Everybody (public)", false));
    const said = h("div", { class: "lab-pushed", role: "status", "aria-live": "polite" });
    const go = h("button", { class: "lab-button primary", type: "submit" }, "Push");
    const close = h("button", { class: "lab-button", type: "button", onclick: () => dialog.close() }, "Close");
    const form = h("form", { method: "dialog", onsubmit: start },
      h("label", { for: "push-name" }, "Repository"), field, who, said, h("div", { class: "row end" }, close, go));
    const dialog = h("dialog", { class: "lab-dialog lab-push", "aria-label": "Push to the Hub" },
      h("h2", {}, "Push to the Hub"),
      h("p", {}, "The adapter and a model card with its data, settings and figures, as a repository on Hugging Face."), form);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();

    const needs = Lab.account.offered && !Lab.account.name;
    if (needs) {
      form.replaceChildren(note("info", "Sign in to push.", "The repository will be your account's; your runs come with you."),
        h("div", { class: "row end" }, close, Lab.signIn("Sign in with Hugging Face")));
      return;
    }
    field.focus();
    field.select();
    watch(true);

    async function start(event) {
      event.preventDefault();
      busy(true);
      put(said, note("info", "Beginning…"));
      try {
        await call("push", { run, repository: field.value, private: form.elements["push-who"].value === "private" });
        watch(false);
      } catch (error) {
        fail(error);
      }
    }
    function busy(now) {
      go.disabled = field.disabled = who.disabled = now;
      dialog.setAttribute("aria-busy", String(now));
    }
    function fail(error) {
      busy(false);
      put(said, note("error", error.message, error.hint));
    }
    /** Ask until it is over; `before` looks only whether one is on its way already. */
    async function watch(before) {
      let now;
      try {
        now = await call("pushed", { run });
      } catch (error) {
        return fail(error);
      }
      if (!now || !dialog.isConnected || (before && now.state !== "busy")) return;
      if (now.state === "failed") return fail(now.error);
      busy(now.state === "busy");
      if (now.state === "done") {
        put(said, h("div", { class: "lab-note good" }, h("strong", {}, "It is on the Hub: "), h("a", { href: now.address, target: "_blank", rel: "noopener" }, now.address)));
        go.textContent = "Push again";
        say("pushed", { run, address: now.address });
      } else {
        put(said, note("info", `${now.doing || "Beginning"}…`), h("div", { class: "lab-progress waiting" }, h("span", {})));
        setTimeout(() => watch(false), 700);
      }
    }
  };
})();
