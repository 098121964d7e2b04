// Signing in with Hugging Face, where the lab offers it: a button in the header, and the account behind it.
(() => {
  const { h, put, on, call, toast, complain, confirm } = Lab;
  const place = h("span", { class: "lab-account" });
  Lab.account = { name: "", push: false };

  async function show() {
    let told;
    try {
      told = await call("account");
    } catch {
      return; // the header says already that the lab does not answer
    }
    Lab.account = told;
    if (told.notice) toast("error", told.notice.message, told.notice.hint);
    put(place, told.owner ? h("a", { class: "lab-button quiet small owner", href: `${Lab.root}/owner` }, "Owner") : null,
      !told.offered ? null : told.name ? signed(told.name) : Lab.signIn("Sign in"));
    Lab.say("account", told);
  }
  /** The way to Hugging Face. It shows its page in no frame: from inside one a tab of its own is opened. */
  Lab.signIn = (words) => {
    const framed = window.top !== window;
    return h("a", { class: "lab-button small", href: `${Lab.root}/login/huggingface`, target: framed ? "_blank" : null,
      title: framed ? "Opens the lab in a tab of its own. What you made in this frame stays here." : "With Hugging Face: what you made so far becomes your account's" }, words);
  };
  function signed(name) {
    return h("button", { class: "lab-button quiet small", title: "Signed in with Hugging Face", "aria-label": `Signed in as ${name}: sign out`, onclick: () => leave(name) }, name);
  }
  async function leave(name) {
    const sure = await confirm(`Sign out, ${name}?`, "Your runs stay with your account: sign in again to see them, here or in another browser.", "Sign out");
    if (!sure) return;
    try {
      await call("leave");
      location.href = `${location.pathname}`; // the pages of the account are not this browser's any more
    } catch (error) {
      complain(error);
    }
  }
  function begin() {
    document.querySelector(".lab-header .tools").prepend(place);
    show();
  }
  if (Lab.tabs) begin();
  else on("framed", begin);
})();
