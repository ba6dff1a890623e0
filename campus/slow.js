// Takes the link away until a moment has passed. Without scripts it is there
// from the beginning.
document.documentElement.classList.add("script");
document.addEventListener("DOMContentLoaded", () => {
	const link = document.querySelector("#late a");
	const spinner = document.createElement("span");
	spinner.className = "spinner";
	spinner.setAttribute("role", "status");
	spinner.setAttribute("aria-label", "Loading");
	link.replaceWith(spinner);
	setTimeout(() => {
		link.classList.add("ready");
		spinner.replaceWith(link);
	}, 700);
});
