// The terminal (textual-serve) connects when the page has loaded, to where this says.
document.getElementById("terminal").dataset.sessionWebsocketUrl =
  location.origin.replace(/^http/, "ws") + "/ws";
