// checks.js: functions that sums.yaml names as FILE#NAME; each says whether an answer will do
export default {
  isShort: (answer) => answer.text.split(/\s+/).length < 15,
};
