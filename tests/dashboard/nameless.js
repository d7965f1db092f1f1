// Whatever can be used or tells something, and has no name for those who listen to a page.
() => [...document.querySelectorAll("button,a[href],input:not([type=hidden]),select,textarea,img,canvas,[role=img]")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.ariaLabel || e.getAttribute("alt") || e.title || e.labels?.length || e.textContent.trim() || e.querySelector("img[alt]")))
  .map((e) => e.outerHTML.slice(0, 120))
