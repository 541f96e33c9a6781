// `node --import tsx` would look for tsx where Jupyter was started, not in the project.
import 'tsx';
